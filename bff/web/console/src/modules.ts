import type { TypeInfo } from '@shared/types'
import type { Component } from 'vue'
import { icons } from '@/icons'

/** A page of the menu, for those who have its permission, or one of them. */
export interface Module { path: string; title: string; permission: string | string[]; icon: Component; section: string }

/** The chapters of the manual, which are the groups of the menu. */
const chapters = ['组织管理', '党员管理', '党费', '组织关系', '组织生活', '学习教育', '考核考评', '投票问卷', '积分', '宣传', '工作台账', '任务', '审批事项', '系统管理']

/** The record types that have a page of their own, and what it is called; all others are shown by the generic one. */
const pages: Record<string, { path: string; title: string } | undefined> = {
  organization: { path: '/organization', title: '党组织管理' },
  member: { path: '/member', title: '党员管理' },
  binding: { path: '/binding', title: '绑定党员' },
  duesOrder: { path: '/dues', title: '党费管理' },
  duesBase: { path: '/dues-base', title: '基数管理' },
  studyTask: { path: '/studies', title: '学习任务' },
  exam: { path: '/exams', title: '考核管理' },
  meeting: { path: '/meetings', title: '会议' },
  points: { path: '/ranking', title: '积分排行' },
  pointsRule: { path: '/points-rule', title: '积分分值' },
}
/** The nine kinds of 审批事项 in the order of the manual (17), and the types that each shows. */
export const approvals = [
  { title: '党员流动', types: ['memberInflowApplication', 'memberOutflowApplication'] },
  { title: '困难党员', types: ['hardshipApplication'] },
  { title: '证明信', types: ['certificateApplication'] },
  { title: '退休党员', types: ['retirementApplication'] },
  { title: '关系转入', types: ['transferInApplication'] },
  { title: '关系转出', types: ['transferOutApplication'] },
  { title: '党费减免', types: ['duesReductionApplication'] },
  { title: '党费基数', types: ['duesBaseApplication'] },
  { title: '出国出境', types: ['abroadRecordApplication'] },
]
/** Pages of the menu that show no type of their own. */
const beside = [{ menu: '党费', path: '/payments', title: '支付明细', permission: 'duesOrder.view', icon: 'tickets', section: '7.3' },
  { menu: '党费', path: '/dues-month', title: '按月收缴', permission: 'duesOrder.pay', icon: 'check', section: '7.1.1' },
  { menu: '党费', path: '/dues-analysis', title: '缴纳分析', permission: 'duesAnalysis.view', icon: 'ranking', section: '7.5' },
  { menu: '审批事项', path: '/approvals', title: '审批总览', permission: approvals.flatMap((k) => k.types.map((t) => `${t}.view`)), icon: 'check', section: '17.0' },
]

export const home: Module = { path: '/', title: '首页', permission: '', icon: icons.home, section: '' }

/** Those that share a page with a type, in its order; the page has the name of the first. */
export const sharing = (types: TypeInfo[], t: TypeInfo) => types.filter((o) => o === t || (t.tab && o.menu === t.menu && o.tab === t.tab)).sort(bySection)

const bySection = (a: { section: string }, b: { section: string }) => {
  const [x, y] = [a.section, b.section].map((s) => s.split('.').map(Number))
  for (let i = 0; i < Math.max(x.length, y.length); i++) if ((x[i] ?? 0) !== (y[i] ?? 0)) return (x[i] ?? 0) - (y[i] ?? 0)
  return 0
}

/** The menu of a user who has these types, in the order of the manual. */
export function menuOf(types: TypeInfo[], can: (permission: string | string[]) => boolean): { title: string; modules: Module[] }[] {
  const groups = new Map<string, Module[]>()
  const add = (menu: string, m: Module) => groups.set(menu, [...(groups.get(menu) ?? []), m])
  for (const t of types) {
    if (!t.menu) continue
    const icon = icons[t.icon] ?? icons.document
    const shared = sharing(types, t)
    if (shared[0] !== t) continue
    const own = t.tab ? { path: `/tabs/${t.type}`, title: t.tab } : (pages[t.type] ?? { path: `/r/${t.type}`, title: t.title })
    add(t.menu, { ...own, permission: shared.map((o) => `${o.type}.view`), icon, section: t.section })
  }
  for (const { menu, ...m } of beside) if (can(m.permission)) add(menu, { ...m, icon: icons[m.icon] })
  const place = (title: string) => { const i = chapters.indexOf(title); return i < 0 ? chapters.length : i }
  return [...groups].map(([title, modules]) => ({ title, modules: modules.sort(bySection) })).sort((a, b) => place(a.title) - place(b.title))
}

/** Where a record is shown: the page of its type, that opens it. */
export function placeOf(types: TypeInfo[], type: string, id: string) {
  const info = types.find((t) => t.type === type)
  if (info?.tab) return { path: `/tabs/${sharing(types, info)[0].type}`, query: { tab: type, id } }
  return { path: pages[type]?.path ?? `/r/${type}`, query: { id } }
}

/** The list of a type, at what waits in it. */
export function listOf(types: TypeInfo[], info: TypeInfo) {
  const query = { [`f.${info.todo?.filter}`]: info.todo?.value ?? '' }
  if (approvals.some((k) => k.types.includes(info.type))) return { path: '/approvals', query: { tab: info.type } }
  if (info.tab) return { path: `/tabs/${sharing(types, info)[0].type}`, query: { tab: info.type, ...query } }
  return { path: pages[info.type]?.path ?? `/r/${info.type}`, query }
}

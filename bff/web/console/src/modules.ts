import {
  Aim, Avatar, Calendar, ChatDotRound, ChatLineRound, Coin, Collection, Connection, DataLine, EditPen, Files, FirstAidKit,
  Guide, House, Key, Medal, Minus, Money, Notebook, OfficeBuilding, Opportunity, Picture, Place, Position, PriceTag, Refresh, School,
  Sort, Star, Sunset, Switch, Tickets, TrendCharts, Trophy, User, UserFilled, WarnTriangleFilled,
} from '@element-plus/icons-vue'
import { markRaw, type Component } from 'vue'

/** A page of the menu, for those who have its permission, or one of them. */
export interface Module { path: string; title: string; permission: string | string[]; icon: Component }

const m = (path: string, title: string, permission: string | string[], icon: Component): Module =>
  ({ path, title, permission, icon: markRaw(icon) })

/** 党员流动 (manual 6.4): two types on one page, and what members apply for. */
export const flows = {
  records: ['memberInflow', 'memberOutflow'],
  applications: ['memberInflowApplication', 'memberOutflowApplication'],
}

/** The menu: groups of modules in the order of the manual. */
export const menu: { title: string; modules: Module[] }[] = [
  { title: '组织管理', modules: [m('/organization', '党组织管理', 'organization.view', OfficeBuilding)] },
  { title: '党员管理', modules: [
    m('/member', '党员管理', 'member.view', User),
    m('/binding', '绑定党员', 'binding.view', Avatar),
    m('/flow', '党员流动', flows.records.map((t) => `${t}.view`), Switch),
  ] },
  { title: '党费', modules: [
    m('/dues', '党费管理', 'duesOrder.view', Coin),
    m('/dues-base', '基数管理', 'duesBase.view', Money),
    m('/payments', '支付明细', 'duesOrder.view', Tickets),
  ] },
  { title: '组织生活', modules: [m('/meetings', '会议', 'meeting.view', Calendar)] },
  { title: '积分', modules: [
    m('/ranking', '积分排行', 'points.view', DataLine),
    m('/points-rule', '积分分值', 'pointsRule.view', Medal),
  ] },
  { title: '审批事项', modules: [m('/flow-applications', '党员流动', flows.applications.map((t) => `${t}.view`), Switch)] },
]
export const home = m('/', '首页', '', House)

/** The icons of record types; one that is not named has a sheet of paper. */
export const icons: Record<string, Component> = markRaw({
  unit: School, election: Refresh, organizationTransfer: Sort, organizationEvaluation: Star, reward: Trophy, sanction: WarnTriangleFilled,
  memberShowcase: Picture, suggestion: ChatLineRound, helpRequest: ChatDotRound, notebookEntry: Notebook,
  profileChange: EditPen, specialtyTag: PriceTag, specialty: Opportunity, hardship: FirstAidKit, retirement: Sunset, memberReduction: Minus,
  developmentCase: TrendCharts, partTimeMember: Connection, reportInMember: Position, duesReconcile: Aim, abroadRecord: Place,
  organizationLedger: Files, memberLedger: Collection, hardshipApplication: FirstAidKit, retirementApplication: Sunset,
  abroadRecordApplication: Place, user: UserFilled, role: Key, audit: Guide,
})

const pages: Record<string, string> = {
  organization: '/organization', member: '/member', duesOrder: '/dues', duesBase: '/dues-base', pointsRule: '/points-rule', meeting: '/meetings',
  ...Object.fromEntries(flows.records.map((t) => [t, '/flow'])), ...Object.fromEntries(flows.applications.map((t) => [t, '/flow-applications'])),
}
/** Where a record is shown: the page of its type, that opens it. */
export const placeOf = (type: string, id: string) => {
  const path = pages[type] ?? `/r/${type}`
  return { path, query: { ...(path.startsWith('/flow') && { tab: type }), id } }
}

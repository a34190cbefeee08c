import { Document } from '@element-plus/icons-vue'
import { defineStore } from 'pinia'
import { markRaw } from 'vue'
import { get } from '@/api/client'
import { icons, menu, type Module } from '@/modules'
import { useSession } from './session'

/** The chapters of the manual. */
const order = ['组织管理', '党员管理', '党费', '组织关系', '组织生活', '学习教育', '考核考评', '投票问卷', '积分', '宣传', '工作台账', '任务', '审批事项', '系统管理']

interface TypeInfo { type: string; title: string; menu?: string }

/** The menu of this user: the pages of their own, then record types as the server names them. */
export const useMenu = defineStore('menu', {
  state: () => ({ types: [] as TypeInfo[], loaded: false }),
  getters: {
    groups(state): { title: string; modules: Module[] }[] {
      const session = useSession()
      const groups = menu.map((g) => ({ title: g.title, modules: g.modules.filter((m) => session.can(m.permission)) }))
      for (const t of state.types) {
        if (!t.menu) continue
        const module = { path: `/r/${t.type}`, title: t.title, permission: `${t.type}.view`, icon: icons[t.type] ?? markRaw(Document) }
        const group = groups.find((g) => g.title === t.menu)
        if (group) group.modules.push(module)
        else groups.push({ title: t.menu, modules: [module] })
      }
      const place = (title: string) => { const i = order.indexOf(title); return i < 0 ? order.length : i }
      groups.sort((a, b) => place(a.title) - place(b.title))
      return groups.filter((g) => g.modules.length)
    },
    modules(): Module[] { return this.groups.flatMap((g) => g.modules) },
  },
  actions: {
    async load() {
      this.types = await get<TypeInfo[]>('records')
      this.loaded = true
    },
  },
})

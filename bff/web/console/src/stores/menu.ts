import type { TypeInfo } from '@shared/types'
import { defineStore } from 'pinia'
import { get } from '@/api/client'
import { menuOf, type Module } from '@/modules'
import { useSession } from './session'

/** The menu of this user, as the server places the record types that he may see. */
export const useMenu = defineStore('menu', {
  state: () => ({ types: [] as TypeInfo[], loaded: false }),
  getters: {
    groups: (state): { title: string; modules: Module[] }[] => menuOf(state.types, (p) => useSession().can(p)),
    modules(): Module[] { return this.groups.flatMap((g) => g.modules) },
  },
  actions: {
    async load() {
      this.types = await get<TypeInfo[]>('records')
      this.loaded = true
    },
  },
})

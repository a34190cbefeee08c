import { defineStore } from 'pinia'
import { get } from '@/api/client'
import type { TreeNode } from '@shared/types'

/** The organisation tree and the node chosen in it, which scopes every page. */
export const useScope = defineStore('scope', {
  state: () => ({ nodes: [] as TreeNode[], orgId: '' }),
  getters: {
    tree(state): TreeNode[] {
      const byId = new Map(state.nodes.map((n) => [n.id, { ...n, children: [] as TreeNode[] }]))
      const roots: TreeNode[] = []
      for (const n of byId.values()) (byId.get(n.parentId)?.children ?? roots).push(n)
      return roots
    },
    chosen: (state) => state.nodes.find((n) => n.id === state.orgId),
  },
  actions: {
    async load(own: string, wanted = '') {
      this.nodes = (await get<{ nodes?: TreeNode[] }>('tree')).nodes ?? []
      if (this.nodes.some((n) => n.id === wanted)) this.orgId = wanted
      // A node that is gone falls back to the admin's own organisation.
      if (!this.chosen) this.orgId = this.nodes.some((n) => n.id === own) ? own : (this.nodes[0]?.id ?? '')
    },
    choose(orgId: string) { this.orgId = orgId },
  },
})

import { defineStore } from 'pinia'
import { get, post } from '@/api/client'
import type { Me } from '@shared/types'

/** Who is logged in and what he may do. */
export const useSession = defineStore('session', {
  state: () => ({ me: null as Me | null }),
  actions: {
    async load() {
      this.me ??= await get<Me>('me')
      return this.me
    },
    async login(userName: string, password: string, captchaToken: string) {
      const answer = await post<{ me?: Me }>('login', { userName, password, captchaToken })
      this.me = answer.me ?? (await get<Me>('me'))
    },
    async logout() {
      await post('logout').catch(() => {}) // the session may be gone already
      this.me = null
    },
    /** Whether the admin has a permission, or one of several. */
    can(permission?: string | string[]): boolean {
      const held = this.me?.permissions ?? []
      if (Array.isArray(permission)) return permission.some((p) => this.can(p))
      return !permission || held.includes('*') || held.includes(permission)
    },
  },
})

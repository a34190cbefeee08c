// The state of a page in its address, so that a reload, 后退 and a link show it again.
import type { LocationQueryValue } from 'vue-router'
import { router } from '@/router'

/** One value of a query. */
export const first = (v: LocationQueryValue | LocationQueryValue[] | undefined) => (Array.isArray(v) ? v[0] : v) ?? ''

let changes: Record<string, string> | undefined

/** Writes into the query of the address; '' takes a key away. What several parts of a page
 * write at once is one replacement, so that none undoes the other's. */
export function address(more: Record<string, string>) {
  if (changes) return void Object.assign(changes, more)
  changes = { ...more }
  queueMicrotask(() => {
    const now = router.currentRoute.value.query
    const query = Object.fromEntries(Object.entries({ ...now, ...changes }).filter(([, v]) => v))
    const same = Object.keys(query).length === Object.keys(now).length && Object.entries(query).every(([k, v]) => first(now[k]) === v)
    changes = undefined
    if (!same) void router.replace({ query })
  })
}

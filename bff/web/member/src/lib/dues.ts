import { ApiError, getContent, post } from './api'
import { newKey } from './once'
import type { Order, JSAPIPay } from '@shared/types'

const INTENT = 'zd.pay'

interface Intent {
  toMonth: string
  key: string
  day: string // an unpaid order ends with its day
}

/**
 * The idempotency key of what the member is about to pay. It stays the same until the
 * outcome is known, also when the page was closed: a repeated tap on a bad network
 * makes no second order.
 */
function intent(toMonth: string): Intent {
  const day = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10)
  const kept = uni.getStorageSync(INTENT) as Intent | ''
  if (kept && kept.toMonth === toMonth && kept.day === day) return kept
  const made = { toMonth, day, key: newKey() }
  uni.setStorageSync(INTENT, made)
  return made
}

/** The outcome is known: the next payment is another one. */
export const settled = () => uni.removeStorageSync(INTENT)

/** Makes the order and what WeChat Pay needs, or again what it was for the same key. */
export async function prepare(toMonth: string): Promise<JSAPIPay> {
  for (let first = true; ; first = false) {
    const kept = uni.getStorageSync(INTENT)
    const { key } = intent(toMonth)
    try {
      return await post<JSAPIPay>('/api/member/dues/pay', { toMonth, idempotencyKey: key }, true)
    } catch (e) {
      if (!(e instanceof ApiError) || e.uncertain) throw e
      settled() // refused: nothing is under way for this key
      // The order of a kept key may have been paid, deleted or expired elsewhere.
      if (!first || e.status !== 409 || kept?.key !== key) throw e
    }
  }
}

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))

/** Asks until the order is no longer unpaid, for some 20 seconds; its last state. */
export async function awaitPaid(id: string, stopped: () => boolean = () => false): Promise<Order> {
  for (let tries = 0; ; tries++) {
    const order = await getContent<Order>(`/api/member/dues/orders/${id}`)
    if (order.status !== 'unpaid' || tries >= 12 || stopped()) return order
    await pause(tries < 3 ? 800 : 2000)
  }
}

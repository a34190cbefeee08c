import { onLoad, onPullDownRefresh, onReachBottom, onShow } from '@dcloudio/uni-app'
import { computed, ref, shallowRef, watch, type ShallowRef } from 'vue'
import { ApiError } from './api'
import { asMember, Redirected } from './session'
import type { Me, Row } from '@shared/types'

export type LoadState = 'loading' | 'ready' | 'error'
export type Query = Record<string, string | undefined>

/**
 * What a page shows: loaded for a bound member when the page opens, is shown again or
 * is pulled down. What is on screen stays there while it is asked for anew.
 */
export function usePage<T>(fetch: (me: Me, query: Query) => Promise<T>) {
  const data = shallowRef<T>()
  const state = ref<LoadState>('loading')
  const message = ref('')
  let query: Query = {}
  let running: Promise<void> | undefined

  async function run() {
    if (data.value === undefined) state.value = 'loading'
    try {
      data.value = await asMember((me) => fetch(me, query))
      state.value = 'ready'
    } catch (e) {
      if (e instanceof Redirected) return
      message.value = e instanceof ApiError && !e.uncertain ? e.message : ''
      if (data.value === undefined) state.value = 'error'
      else uni.showToast({ title: '刷新失败，请重试', icon: 'none' })
    } finally {
      uni.stopPullDownRefresh()
    }
  }

  function reload(): Promise<void> {
    running ??= run().finally(() => (running = undefined))
    return running
  }

  onLoad((options) => {
    query = (options ?? {}) as Query
  })
  onShow(reload)
  onPullDownRefresh(reload)
  return { data, state, message, reload }
}

/** The rows of a list, page by page as its end is reached: the first page is the page's data, `next` asks for one more. */
export function useRows<T extends { items: Row[]; total: number }>(data: ShallowRef<T | undefined>, size: number, next: (d: T, page: number) => Promise<Row[]>) {
  const more = ref<Row[]>([]) // what was asked for beyond the first page
  watch(data, () => (more.value = []))
  const items = computed(() => [...(data.value?.items ?? []), ...more.value])
  let fetching = false
  onReachBottom(async () => {
    const d = data.value
    if (!d || fetching || items.value.length >= d.total) return
    fetching = true
    try {
      const rows = await next(d, Math.floor(items.value.length / size) + 1)
      if (d === data.value) more.value = [...more.value, ...rows.filter((r) => !items.value.some((o) => o.id === r.id))]
    } catch {
      uni.showToast({ title: '加载失败，请重试', icon: 'none' })
    } finally {
      fetching = false
    }
  })
  return items
}

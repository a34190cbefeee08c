import { onLoad, onPullDownRefresh, onShow } from '@dcloudio/uni-app'
import { ref, shallowRef } from 'vue'
import { ApiError } from './api'
import { asMember, Redirected } from './session'
import type { Me } from '@shared/types'

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

// What was typed and not sent: who goes back is asked, and finds it again the next time.
import { onBackPress, onUnload } from '@dcloudio/uni-app'
import { ref, watch } from 'vue'
import { beforeStep } from './back'
import type { Values } from '@shared/types'

interface Draft { at: number; values: Values }
const DAYS = 7
const QUESTION = '内容尚未保存，确定离开？'
const filled = (v: unknown) => v !== undefined && v !== null && v !== '' && v !== false && !(Array.isArray(v) && !v.length)
const said = (values: Values) => JSON.stringify(Object.entries(values).filter(([, v]) => filled(v)))

/** Watches over a form; `keep` names what of it a draft may hold. */
export function useUnsaved(values: Values, keep: (values: Values) => Values) {
  const draft = ref<Draft>()
  let key = ''
  let start: string | undefined // as the form was opened; undefined when it may be left
  const dirty = () => start !== undefined && said(values) !== start

  watch(values, (now) => {
    if (!dirty()) return
    uni.setStorageSync(key, { at: Date.now(), values: keep(now) })
    // #ifdef MP-WEIXIN
    uni.enableAlertBeforeUnload({ message: QUESTION })
    // #endif
  })
  /** Asks whether to leave; who does leaves for good. */
  async function agreed() {
    const { confirm } = await uni.showModal({ title: '提示', content: QUESTION, confirmText: '确定离开', cancelText: '继续填写' })
    if (confirm) start = undefined
    return confirm
  }
  onBackPress(() => {
    if (!dirty()) return false
    void agreed().then((leave) => { if (leave) uni.navigateBack() })
    return true
  })
  // #ifdef H5
  // The browser's own way back, which onBackPress does not see: the history is put back first,
  // then comes the question.
  const here = history.state?.position as number | undefined
  let returning = false
  const release = beforeStep((e) => {
    if (!returning && !dirty()) return
    e.stopImmediatePropagation()
    if ((returning = !returning)) {
      const moved = here === undefined || e.state?.position === undefined ? 1 : e.state.position - here
      history.go(-moved)
      void agreed().then((leave) => { if (leave) history.go(moved) })
    }
  })
  const closing = (e: BeforeUnloadEvent) => { if (dirty()) e.preventDefault() }
  addEventListener('beforeunload', closing)
  onUnload(() => {
    release()
    removeEventListener('beforeunload', closing)
  })
  // #endif

  return {
    /** What was left in this form, to be taken up or thrown away. */
    draft,
    /** The form shows its first values. */
    begin(form: string) {
      key = `zd.draft.${form}`
      start = said(values)
      const left = uni.getStorageSync(key) as Draft | ''
      if (left && Date.now() - left.at < DAYS * 86_400_000 && Object.values(left.values).some(filled)) draft.value = left
    },
    /** Takes the draft up. */
    restore() {
      Object.assign(values, draft.value!.values)
      draft.value = undefined
    },
    /** Throws the draft away: it was sent, or is not wanted. */
    drop() {
      draft.value = undefined
      uni.removeStorageSync(key)
    },
    /** What was typed is sent: the page may be left. */
    end() {
      start = undefined
      uni.removeStorageSync(key)
      // #ifdef MP-WEIXIN
      uni.disableAlertBeforeUnload()
      // #endif
    }
  }
}

// What was typed and not saved: who leaves it is asked, and finds it again the next time.
import { ElMessageBox } from 'element-plus'
import { onScopeDispose, ref, watch } from 'vue'
import { store, stored } from '@/stores/prefs'
import { useSession } from '@/stores/session'
import { newKey } from './once'
import { blank } from '@shared/record'

type Values = Record<string, any>
/** A form as it was left. */
interface Draft { at: number; values: Values }

const open = new Set<() => boolean>()
let asking: Promise<boolean> | undefined

/** Whether a form holds what is not saved. */
export const unsaved = () => [...open].some((dirty) => dirty())

/** Asks whether to leave it; one question for whoever asks meanwhile. */
export const agreed = () => (asking ??= ElMessageBox.confirm('内容尚未保存，确定离开？', '提示', {
  type: 'warning', confirmButtonText: '确定离开', cancelButtonText: '继续填写', closeOnHashChange: false,
})
  .then(() => true, () => false).finally(() => { asking = undefined }))

// A tab that is closed asks in the browser's own words.
addEventListener('beforeunload', (e) => { if (unsaved()) e.preventDefault() })

const prefix = 'draft.'
const days = 7
/** Forgets the drafts of a user, who leaves this browser to others. */
export function forget(userId: string) {
  for (const key of Object.keys(localStorage)) if (key.startsWith(`${prefix}${userId}.`)) localStorage.removeItem(key)
}

/**
 * Watches over a form in a dialog, from its opening to its closing. `values` are what is in it;
 * `keep` names those of them that a draft may hold, none without it.
 */
export function useUnsaved(values: () => Values, keep: (values: Values) => Values = () => ({})) {
  const userId = useSession().me?.userId ?? ''
  const draft = ref<Draft>()
  let key = ''
  let once = newKey()
  let start: string | undefined // as the form was opened; undefined while it is closed
  const said = (v: Values) => JSON.stringify(Object.entries(v).filter(([, x]) => !blank(x)).sort(([a], [b]) => (a < b ? -1 : 1)))
  const dirty = () => start !== undefined && said(values()) !== start
  open.add(dirty)
  onScopeDispose(() => open.delete(dirty))

  watch(values, (v) => {
    if (key && dirty()) store(key, { at: Date.now(), values: keep(v) })
  }, { deep: true })

  /** The form is closed; done when it was saved, and the draft is needed no more. */
  function end(done = false) {
    start = undefined
    draft.value = undefined
    if (done && key) localStorage.removeItem(key)
  }
  return {
    /** What was left in this form, to be taken up or thrown away. */
    draft,
    /** Names what the opened form sends: sent twice, changed or not, it is saved once. */
    key: () => once,
    /** The form is open, with its first values in it. */
    begin(form = '') {
      once = newKey()
      start = said(values())
      key = form && `${prefix}${userId}.${form}`
      const left = key ? stored<Draft | null>(key, null) : null
      const has = left && Date.now() - left.at < days * 86_400_000 && Object.values(left.values).some((v) => !blank(v))
      draft.value = has ? left : undefined
    },
    end,
    /** Throws the draft away. */
    drop() {
      draft.value = undefined
      localStorage.removeItem(key)
    },
    /** Closes the dialog, after asking if something would be lost. */
    async leave(close: () => void) {
      if (dirty() && !(await agreed())) return
      end()
      close()
    },
  }
}

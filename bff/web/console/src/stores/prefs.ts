import { defineStore } from 'pinia'
import { ref, watchEffect } from 'vue'

/** Reads and writes one value of this browser; a blocked storage is no error. */
export function stored<T>(key: string, fallback: T): T {
  try { return JSON.parse(localStorage.getItem(key) ?? '') as T } catch { return fallback }
}
export function store(key: string, value: unknown) {
  try { localStorage.setItem(key, JSON.stringify(value)) } catch { /* private mode */ }
}

/** How this browser shows the console. */
export const usePrefs = defineStore('prefs', () => {
  const dark = ref(stored('dark', false))
  const large = ref(stored('large', false))
  const narrowScreen = matchMedia('(max-width: 767px)')
  const narrow = ref(narrowScreen.matches)
  narrowScreen.addEventListener('change', (e) => { narrow.value = e.matches })
  watchEffect(() => {
    document.documentElement.classList.toggle('dark', dark.value)
    document.documentElement.classList.toggle('large', large.value)
    store('dark', dark.value)
    store('large', large.value)
  })
  return { dark, large, narrow }
})

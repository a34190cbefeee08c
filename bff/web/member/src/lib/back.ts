// The browser's own way back on H5, which is WeChat's too: who wants to be asked first is asked
// before the router, since the pages are gone by the time that a guard of the router runs.
// Listeners of the history are called in the order in which they came: main.ts loads this
// before it makes the app.

type Asked = (e: PopStateEvent) => void
const asked = new Set<Asked>()

// #ifdef H5
addEventListener('popstate', (e) => {
  for (const f of asked) f(e)
})
// #endif

/** Asks f about each step through the history, until what it answers is called; f keeps the step from the router by stopImmediatePropagation. */
export function beforeStep(f: Asked) {
  asked.add(f)
  return () => asked.delete(f)
}

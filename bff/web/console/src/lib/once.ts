// Names for what is written, so that the server does nothing twice (Idempotency-Key).

/** A random name of one submission. */
export const newKey = () => {
  const random = () => Math.random().toString(36).slice(2, 12).padEnd(10, '0')
  return `${Date.now().toString(36)}-${random()}${random()}`
}

const open = new Map<string, string>() // what was sent and may not have arrived → its key

/** The key of what is sent: the same as long as nobody knows what came of it. */
export function keyOf(method: string, address: string, body: string): string {
  const what = `${method} ${address} ${body}`
  const key = open.get(what) ?? newKey()
  open.set(what, key)
  return key
}

/** An answer came: the same content sent from now on is meant. status 0: none came. */
export function answered(key: string, status: number, error = '') {
  if (status === 0 || status >= 500 || error === 'once.running') return
  for (const [what, k] of open) if (k === key) open.delete(what)
}

// The one door to the HTTP API.
import { answered, keyOf, newKey } from '@/lib/once'

export type Params = Record<string, string | number | undefined | null>

/** What the server refused, in words for the user; fields names the inputs at fault. */
export class ApiError extends Error {
  constructor(message: string, readonly status: number, readonly key = '', readonly fields: Record<string, string> = {}) {
    super(message)
  }
}

let ahead = 0 // of the server's clock before this browser's, in milliseconds
/** The server's time, which decides what "today" is; Unix milliseconds. */
export const serverNow = () => Date.now() + ahead

let signedOut = () => {}
/** Sets what happens when the session is gone. */
export const onSignedOut = (f: () => void) => { signedOut = f }

export const url = (path: string, params: Params = {}) => {
  const q = new URLSearchParams()
  for (const [k, v] of Object.entries(params)) if (v !== undefined && v !== null && v !== '') q.set(k, String(v))
  return `/api/console/${path}${q.size ? `?${q}` : ''}`
}

async function send(method: string, address: string, body?: unknown, given?: string): Promise<Response> {
  const file = body instanceof FormData
  const text = body === undefined || file ? undefined : JSON.stringify(body)
  const key = method === 'GET' ? '' : given ?? (file ? newKey() : keyOf(method, address, text ?? ''))
  let res: Response
  try {
    res = await fetch(address, {
      method,
      headers: { 'X-Requested-With': 'zhihuidangjian', ...(text !== undefined && { 'Content-Type': 'application/json' }), ...(key && { 'Idempotency-Key': key }) },
      body: file ? body : text,
    })
  } catch {
    throw new ApiError('网络连接失败，请检查网络后重试', 0)
  }
  const time = Number(res.headers.get('X-Server-Time'))
  if (time) ahead = time - Date.now()
  const why = res.ok ? {} : await res.json().catch(() => ({}))
  answered(key, res.status, why.key)
  if (res.ok) return res
  throw refused(res.status, why, /\/(login|me)$/.test(address))
}

/** The error of an answer. A refused log-in answers the form; the guard itself asks who is
 * there (me); everything else that finds no session leads to the log-in. */
export function refused(status: number, e: { message?: string; key?: string; fields?: Record<string, string> }, asking = false): ApiError {
  if (status === 401 && !asking) signedOut()
  return new ApiError(e.message || (status === 413 ? '文件过大，请拆分后重试' : '系统繁忙，请稍后重试'), status, e.key, e.fields ?? {})
}

const json = async <T>(method: string, address: string, body?: unknown, key?: string): Promise<T> => {
  const text = await (await send(method, address, body, key)).text()
  return text ? JSON.parse(text) : ({} as T)
}

export const get = <T>(path: string, params?: Params) => json<T>('GET', url(path, params))
/** A write. key is a form's own, made when it opened (newKey): however often it is sent, it is saved once. */
export const post = <T>(path: string, body: unknown = {}, params?: Params, key?: string) => json<T>('POST', url(path, params), body, key)
export const put = <T>(path: string, body: unknown, key?: string) => json<T>('PUT', url(path), body, key)

/** Saves a file the server makes, of a body that is too long for an address, under the name it gives. */
export async function download(path: string, params?: Params, fallback = '下载.xlsx', body?: unknown) {
  const res = await send(body ? 'POST' : 'GET', url(path, params), body)
  const header = res.headers.get('Content-Disposition') ?? ''
  const name = /filename\*=UTF-8''([^;]+)/i.exec(header)?.[1] ?? /filename="?([^";]+)/.exec(header)?.[1]
  const a = document.createElement('a')
  a.href = URL.createObjectURL(await res.blob())
  a.download = name ? decodeURIComponent(name) : fallback
  a.click()
  setTimeout(() => URL.revokeObjectURL(a.href), 10_000)
}

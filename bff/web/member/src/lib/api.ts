// Requests to the product: time-outs, retries where they are safe, identity.
import { answered, keyOf } from './once'
import { login, token } from './session'

/** Address of the product: the page's own for H5, configured for the mini-program. */
export const BASE: string = process.env.UNI_PLATFORM === 'h5' ? '' : (import.meta.env.VITE_API_BASE ?? 'http://127.0.0.1:8080')

const TIMEOUT = 12_000
const PAUSES = [400, 1200] // before the second and the third try

/** What went wrong, in words for the member. status 0: the network. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly key: string,
    message: string,
    readonly fields: Record<string, string> = {}
  ) {
    super(message)
  }

  /** Whether the server may never have seen the request, or could not finish it. */
  get uncertain() {
    return this.status === 0 || this.status >= 500
  }
}

interface Options {
  method?: 'GET' | 'POST' | 'PUT'
  data?: Record<string, unknown>
  /** A POST that may be repeated without harm. GET always may. */
  repeatable?: boolean
  /** A form's own name for its submission (newKey): sent again, it is saved once. */
  key?: string
}

interface ErrorBody {
  key?: string
  message?: string
  fields?: Record<string, string>
}

function send<T>(path: string, { method = 'GET', data, key: given }: Options): Promise<T> {
  const header: Record<string, string> = { 'X-Requested-With': 'zhihuidangjian' }
  const once = method === 'GET' ? '' : given ?? keyOf(method, path, JSON.stringify(data ?? {}))
  if (once) header['Idempotency-Key'] = once
  if (token()) header.Authorization = `Bearer ${token()}`
  return new Promise((resolve, reject) => {
    uni.request({
      url: BASE + path,
      method,
      data: data as UniApp.RequestOptions['data'],
      header,
      timeout: TIMEOUT,
      success({ statusCode, data: body }) {
        answered(once, statusCode, (body as ErrorBody | undefined)?.key)
        if (statusCode >= 200 && statusCode < 300) return resolve(body as T)
        const { key = '', message = '服务暂时不可用，请稍后重试', fields } = (typeof body === 'object' && body ? body : {}) as ErrorBody
        reject(new ApiError(statusCode, key, message, fields ?? {}))
      },
      fail: () => reject(new ApiError(0, 'network', '网络不给力，请稍后重试'))
    })
  })
}

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))

/**
 * One request. Network errors and an overloaded server are tried again when that is
 * safe; without a session WeChat is asked who this is, and the request repeated.
 */
export async function request<T>(path: string, options: Options = {}): Promise<T> {
  const repeatable = (options.method ?? 'GET') === 'GET' || options.repeatable || !!options.key
  let recognised = false
  for (let tries = 0; ; ) {
    try {
      return await send<T>(path, options)
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      if (e.status === 401 && !recognised) {
        recognised = true
        await login()
        continue
      }
      if (!repeatable || !(e.status === 0 || e.status >= 502) || tries >= PAUSES.length) throw e
      await pause(PAUSES[tries++])
    }
  }
}

export const get = <T>(path: string) => request<T>(path)
/** One record that a message or a list led to: it may be gone by now. */
export const getContent = <T>(path: string) =>
  get<T>(path).catch((e) => {
    throw e instanceof ApiError && e.status === 404 ? new ApiError(404, e.key, '内容不存在') : e
  })
export const post = <T>(path: string, data: Record<string, unknown> = {}, repeatable = false) =>
  request<T>(path, { method: 'POST', data, repeatable })

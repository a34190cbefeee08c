// Who uses the phone. H5 is recognised by WeChat OAuth and a cookie, the mini-program
// by wx.login and a token in its storage.
import { ApiError, get, post } from './api'
import type { Me } from '@shared/types'

const TOKEN = 'zd.token'
const TRIED = 'zd.oauth' // when OAuth was last tried, so that it cannot go round in circles

/** Thrown when another page opens instead; never shown. */
export class Redirected extends Error {}

export const token = (): string => (process.env.UNI_PLATFORM === 'h5' ? '' : uni.getStorageSync(TOKEN))

let pending: Promise<void> | undefined

/** Lets WeChat say who this is; requests that fail together log in once. */
export function login(): Promise<void> {
  pending ??= recognise().finally(() => (pending = undefined))
  return pending
}

async function recognise() {
  // #ifdef H5
  const now = Date.now()
  if (now - Number(sessionStorage.getItem(TRIED)) < 10_000) {
    throw new ApiError(401, 'unrecognised', '无法识别微信身份，请在微信中重新打开')
  }
  sessionStorage.setItem(TRIED, String(now))
  location.replace('/wechat/oauth?to=' + encodeURIComponent('/m/' + location.hash))
  throw new Redirected()
  // #endif
  // #ifndef H5
  uni.removeStorageSync(TOKEN)
  const { code } = await new Promise<UniApp.LoginRes>((resolve, reject) =>
    uni.login({ success: resolve, fail: () => reject(new ApiError(0, 'wx.login', '微信登录失败，请重试')) })
  )
  const answer = await post<{ token: string; me: Me }>('/api/member/mini-login', { code })
  uni.setStorageSync(TOKEN, answer.token)
  // #endif
}

/** Path and query of the page that shows. */
function here(): string {
  const page = getCurrentPages().at(-1) as unknown as { route?: string; options?: Record<string, string>; $page?: { fullPath: string } }
  if (!page) return HOME
  if (page.$page?.fullPath) return page.$page.fullPath
  const query = Object.entries(page.options ?? {}).map(([k, v]) => `${k}=${v}`)
  return `/${page.route}${query.length ? '?' + query.join('&') : ''}`
}

export const HOME = '/pages/home/index'

let me: Me | undefined

/** Opens the page that binds, which comes back here. */
function toBind(): never {
  me = undefined
  uni.redirectTo({
    url: '/pages/bind/index?to=' + encodeURIComponent(here()),
    fail: () => uni.reLaunch({ url: '/pages/bind/index?to=' + encodeURIComponent(here()) }) // tab pages cannot be redirected in the mini-program
  })
  throw new Redirected()
}

/** The bound member; an unbound WeChat user is led to bind. */
export async function member(): Promise<Me> {
  me ??= await get<Me>('/api/member/me')
  // #ifdef H5
  sessionStorage.removeItem(TRIED)
  // #endif
  if (!me.bound) toBind()
  return me
}

/** Runs what needs a bound member; whoever was unbound meanwhile is led to bind. */
export async function asMember<T>(run: (me: Me) => Promise<T>): Promise<T> {
  const who = await member()
  try {
    return await run(who)
  } catch (e) {
    if (e instanceof ApiError && e.key === 'unbound') toBind()
    throw e
  }
}

/** Forgets who this is, after binding. */
export const forget = () => (me = undefined)

/** Whether the member is registered here only part-time or for a while: dues and applications are his own branch's. */
export const isGuest = () =>
  get<{ memberType: string }>('/api/member/profile').then(
    (m) => m.memberType === 'guest',
    (e) => e instanceof ApiError && e.status === 404 // he has no entry of his own; else the page that opens tells what is wrong
  )

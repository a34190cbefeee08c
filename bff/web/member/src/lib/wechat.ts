// What only WeChat can do for the pages: pay and scan.
import { get } from './api'
import type { JSAPIPay } from '@shared/types'

export type PayOutcome = 'ok' | 'cancel' | 'fail'

// #ifdef H5
interface Bridge {
  invoke(api: string, params: Record<string, unknown>, done: (res: { err_msg: string; resultStr?: string }) => void): void
}

declare global {
  interface Window {
    WeixinJSBridge?: Bridge
  }
}

function loadScript(src: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script')
    script.src = src
    script.onload = () => resolve()
    script.onerror = () => {
      script.remove()
      reject(new Error('加载失败，请重试'))
    }
    document.head.append(script)
  })
}

/** The bridge of the WeChat app. In the sandbox a script of our own stands in for it. */
async function bridge(): Promise<Bridge> {
  if (!window.WeixinJSBridge) {
    const { sandbox } = await get<{ sandbox: boolean }>('/api/portal/config')
    if (sandbox && !window.WeixinJSBridge) await loadScript('/sandbox/bridge.js')
  }
  if (!window.WeixinJSBridge) {
    await new Promise<void>((done) => {
      document.addEventListener('WeixinJSBridgeReady', () => done(), { once: true })
      setTimeout(done, 3000)
    })
  }
  if (!window.WeixinJSBridge) throw new Error('请在微信中打开本页面')
  return window.WeixinJSBridge
}

const invoke = (b: Bridge, api: string, params: Record<string, unknown>) =>
  new Promise<{ err_msg: string; resultStr?: string }>((done) => b.invoke(api, params, done))
// #endif

/** Hands an order to WeChat Pay. What it says is a hint only; the order tells. */
export async function pay(p: JSAPIPay): Promise<PayOutcome> {
  // #ifdef H5
  const { err_msg } = await invoke(await bridge(), 'getBrandWCPayRequest', {
    appId: p.appId, timeStamp: p.timeStamp, nonceStr: p.nonceStr, package: p.packageValue, signType: p.signType, paySign: p.paySign
  })
  return err_msg.endsWith(':ok') ? 'ok' : err_msg.endsWith(':cancel') ? 'cancel' : 'fail'
  // #endif
  // #ifndef H5
  return new Promise<PayOutcome>((done) =>
    uni.requestPayment({
      provider: 'wxpay', orderInfo: '', timeStamp: p.timeStamp, nonceStr: p.nonceStr, package: p.packageValue, signType: p.signType, paySign: p.paySign,
      success: () => done('ok'),
      fail: (e) => done(/cancel/.test(e.errMsg) ? 'cancel' : 'fail')
    })
  )
  // #endif
}

/** Opens WeChat's scanner; undefined when the member closes it. */
export async function scan(): Promise<string | undefined> {
  // #ifdef H5
  // The JS-SDK is only a wrapper of these two calls; doing without it, no script has to
  // come from outside.
  const b = await bridge()
  const url = location.href.split('#')[0]
  const s = await get<{ appId: string; timestamp: number; nonceStr: string; signature: string }>('/api/member/js-config?url=' + encodeURIComponent(url))
  const verify = { verifyAppId: s.appId, verifySignType: 'sha1', verifyTimestamp: String(s.timestamp), verifyNonceStr: s.nonceStr, verifySignature: s.signature }
  await invoke(b, 'preVerifyJSAPI', { verifyJsApiList: ['scanQRCode'], ...verify })
  const res = await invoke(b, 'scanQRCode', { needResult: 1, scanType: ['qrCode'], ...verify })
  if (res.err_msg.endsWith(':ok')) return scanned(res.resultStr ?? '')
  if (res.err_msg.endsWith(':cancel')) return undefined
  throw new Error('无法打开扫一扫，请用微信“扫一扫”扫描会议二维码')
  // #endif
  // #ifndef H5
  return new Promise((done, reject) =>
    uni.scanCode({
      onlyFromCamera: false,
      scanType: ['qrCode'],
      success: ({ result }) => done(result),
      fail: (e: { errMsg: string }) => (/cancel/.test(e.errMsg) ? done(undefined) : reject(new Error('无法打开扫一扫，请重试')))
    })
  )
  // #endif
}

// #ifdef H5
/** WeChat answers {"scan_code":{"scan_result":"…"}}, or the text as it is. */
function scanned(text: string): string {
  try {
    return JSON.parse(text).scan_code?.scan_result ?? text
  } catch {
    return text
  }
}
// #endif

/** The token in the text of a check-in code, or undefined if it is another code. */
export function checkInToken(text: string): string | undefined {
  return /\/pages\/sign-in\/index\?(?:.*&)?t=([^&#]+)/.exec(text)?.[1]
}

/** Asks for consent to one message of each kind (mini-program); the kinds accepted. */
export function askConsent(templates: Record<string, string>): Promise<string[]> {
  // #ifdef MP-WEIXIN
  const kinds = Object.keys(templates).slice(0, 3) // WeChat asks for three at most
  if (kinds.length) {
    return new Promise((done) =>
      uni.requestSubscribeMessage({
        tmplIds: kinds.map((k) => templates[k]),
        success: (res) => done(kinds.filter((k) => (res as unknown as Record<string, string>)[templates[k]] === 'accept')),
        fail: () => done([])
      })
    )
  }
  // #endif
  void templates
  return Promise.resolve([])
}

// WeChat, as far as the built mini-program needs it: it loads the build into
// miniprogram-simulate and answers wx.* calls. wx.request goes to `answer`.
import { createRequire } from 'node:module'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import jsdom from 'jsdom'

const require = createRequire(import.meta.url)
export const BUILD = fileURLToPath(new URL('../unpackage/mp-weixin/', import.meta.url))

/** Starts the mini-program. `answer(request)` → {statusCode, data}; throwing is a network error. */
export function start({ answer, loginCode = async () => 'code', consent = 'accept', onPay = async () => 'ok' }) {
  if (!existsSync(BUILD + 'app.js')) throw new Error('no build of the mini-program: npm run build:mp')
  const { window } = new jsdom.JSDOM('<!DOCTYPE html><body></body>', { url: 'https://mini.program/', pretendToBeVisual: true })
  for (const name of ['window', 'document', 'Event', 'CustomEvent', 'TouchEvent', 'Node', 'HTMLElement', 'requestAnimationFrame', 'cancelAnimationFrame', 'MutationObserver']) {
    global[name] = name === 'window' ? window : window[name]
  }

  const calls = [] // what the program asked of WeChat, in order
  const stack = [] // pages, as getCurrentPages shows them
  const storage = new Map()
  const opened = []
  const note = (name, params) => calls.push({ name, params })
  const settle = (promise, p) =>
    promise.then(
      (res) => (p.success?.(res), p.complete?.(res)),
      (err) => (p.fail?.({ errMsg: String(err.message ?? err) }), p.complete?.())
    )
  const route = (name) => (p) => (note(name, p), opened.push(p.url), p.success?.({ errMsg: `${name}:ok` }), p.complete?.())

  const system = { platform: 'ios', SDKVersion: '3.5.0', windowWidth: 390, windowHeight: 844, language: 'zh_CN', theme: 'light', safeArea: { top: 0, bottom: 844 }, version: '8.0.50', pixelRatio: 2 }
  const wx = {
    getSystemInfoSync: () => system, getAppBaseInfo: () => system, getDeviceInfo: () => system, getWindowInfo: () => system,
    getSystemSetting: () => ({}), getAppAuthorizeSetting: () => ({}), getAccountInfoSync: () => ({ miniProgram: { appId: 'touristappid' } }),
    getLaunchOptionsSync: () => ({ path: 'pages/home/index', query: {}, scene: 1001 }), getEnterOptionsSync: () => ({ path: '', query: {}, scene: 1001 }),
    onAppShow() {}, onAppHide() {}, canIUse: () => true, onError() {}, offError() {}, onUnhandledRejection() {},
    getStorageSync: (key) => storage.get(key) ?? '', setStorageSync: (key, value) => storage.set(key, value), removeStorageSync: (key) => storage.delete(key),
    setStorage() {}, stopPullDownRefresh() {}, setNavigationBarTitle: (p) => note('setNavigationBarTitle', p), showToast: (p) => note('showToast', p), showModal: (p) => (note('showModal', p), p.success?.({ confirm: true, cancel: false, errMsg: 'showModal:ok' }), p.complete?.()),
    navigateTo: route('navigateTo'), redirectTo: route('redirectTo'), reLaunch: route('reLaunch'), navigateBack: route('navigateBack'),
    login: (p) => (note('login', p), settle(Promise.resolve().then(loginCode).then((code) => ({ code, errMsg: 'login:ok' })), p)),
    request: (p) => (note('request', p), settle(Promise.resolve().then(() => answer(p)), p), { abort() {} }),
    scanCode: (p) => (note('scanCode', p), settle(Promise.reject(new Error('scanCode:fail cancel')), p)),
    requestSubscribeMessage: (p) => (note('requestSubscribeMessage', p), p.success({ errMsg: 'requestSubscribeMessage:ok', ...Object.fromEntries(p.tmplIds.map((id) => [id, consent])) })),
    requestPayment: (p) =>
      (note('requestPayment', p), settle(Promise.resolve().then(() => onPay(p)).then((outcome) => {
        if (outcome !== 'ok') throw new Error(`requestPayment:fail ${outcome}`)
        return { errMsg: 'requestPayment:ok' }
      }), p))
  }
  const simulate = require('miniprogram-simulate')
  let app
  Object.assign(global, { wx, Page: () => {}, App: (options) => (app = options), getApp: () => app, getCurrentPages: () => stack })
  for (const file of Object.keys(require.cache)) if (file.startsWith(BUILD)) delete require.cache[file]
  require(BUILD + 'app.js')
  app.onLaunch?.call(app, wx.getLaunchOptionsSync())
  app.onShow?.call(app, wx.getLaunchOptionsSync())

  const until = async (what, condition) => {
    const end = Date.now() + 20_000
    for (;;) {
      const value = condition()
      if (value) return value
      if (Date.now() > end) throw new Error(`waited in vain for ${what}`)
      await new Promise((done) => setImmediate(done))
    }
  }

  return {
    calls, opened, storage, until,
    called: (name) => calls.filter((c) => c.name === name).map((c) => c.params),

    /** Opens a page, e.g. open('pages/dues/index', {…query}). */
    open(path, query = {}) {
      const id = simulate.load(BUILD + path, { compiler: 'simulate', rootPath: BUILD })
      const component = simulate.render(id)
      const page = component.instance
      Object.assign(page, { route: path, options: query })
      stack.push(page)
      component.attach(document.body.appendChild(document.createElement('div')))
      page.onLoad(query)
      page.onShow?.()
      const wxml = readFileSync(`${BUILD}${path}.wxml`, 'utf8')
      return {
        page,
        text: () => JSON.stringify(page.data),
        /** Taps the element with a class, which stands alone or in a list: calls the handler that its template names. */
        tap(cls) {
          const tag = wxml.match(/<[a-z-]+ [^>]*>/g).find((t) => new RegExp(`class="[^"]*\\b${cls}\\b`).test(t) && /bindtap=/.test(t))
          const name = /bindtap="\{\{(?:\w+\.)?(\w+)\}\}"/.exec(tag)[1]
          const within = (v) => (typeof page[v?.[name]] === 'function' ? v[name] : v && typeof v === 'object' ? Object.values(v).map(within).find(Boolean) : undefined)
          const list = /wx:for="\{\{(\w+)\}\}"/.exec(tag)?.[1]
          const handler = within(list ? page.data[list] : page.data)
          return page[handler]({ type: 'tap', target: {}, currentTarget: { dataset: {} }, detail: {} })
        },
        /** Types into the input with a class, which stands alone or in a list. */
        type(cls, value) {
          const inputs = wxml.match(/<input [^>]*>/g)
          const key = (tag) => /bindinput="\{\{(?:\w+\.)?(\w+)\}\}"/.exec(tag)[1]
          const alone = inputs.find((t) => new RegExp(`class="[^"{]*\\b${cls}\\b`).test(t))
          const item = Object.values(page.data).filter(Array.isArray).flat().find((i) => Object.values(i).some((v) => String(v).split(' ').includes(cls)))
          const handler = alone ? page.data[key(alone)] : item[key(inputs.find((t) => t.includes("'field-input'")))]
          return page[handler]({ type: 'input', target: { value }, currentTarget: { dataset: {} }, detail: { value } })
        }
      }
    }
  }
}

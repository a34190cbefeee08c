// Stands in for the WeChat app inside the member pages: WeixinJSBridge and wx.
// Included in sandbox mode only. Elements are built and styled through the DOM,
// so that it runs under script-src 'self'; style-src 'self'.
(() => {
  'use strict'

  const api = async (path, body) => {
    const res = await fetch('/sandbox/api/' + path, {
      method: 'POST', credentials: 'same-origin', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body ?? {}),
    })
    const answer = await res.json()
    if (!res.ok) throw new Error(answer.error || '沙盒没有应答')
    return answer
  }

  const yuan = (fen) => `${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, '0')}`

  const element = (tag, style, text, id) => {
    const e = document.createElement(tag)
    Object.assign(e.style, style)
    if (text !== undefined) e.textContent = text
    if (id) e.id = id
    return e
  }

  const button = (text, id, primary) => {
    const b = element('button', {
      display: 'block', width: '100%', minHeight: '48px', marginTop: '12px', borderRadius: '8px', border: '0', fontSize: '17px',
      color: primary ? '#fff' : '#1f2329', background: primary ? '#07c160' : '#f2f2f2', cursor: 'pointer',
    }, text, id)
    b.type = 'button'
    return b
  }

  // sheet opens a sheet from the bottom and returns it with a function that closes it.
  const sheet = (container, label) => {
    const shade = element('div', {
      position: container ? 'absolute' : 'fixed', inset: '0', zIndex: '99999', background: 'rgba(0,0,0,.5)', display: 'flex', alignItems: 'flex-end',
    })
    const panel = element('div', {
      width: '100%', boxSizing: 'border-box', padding: '20px 20px 28px', background: '#fff', borderRadius: '14px 14px 0 0',
      color: '#1f2329', textAlign: 'center', fontFamily: 'inherit', fontSize: '16px', overflowWrap: 'anywhere',
    })
    panel.setAttribute('role', 'dialog')
    panel.setAttribute('aria-modal', 'true')
    panel.setAttribute('aria-label', label)
    shade.append(panel)
    ;(container || document.body).append(shade)
    return { panel, close: () => shade.remove() }
  }

  // paySheet asks the payer and resolves to ok, cancel or an error's text.
  const paySheet = (payment, container, userId) => new Promise((resolve) => {
    const { panel, close } = sheet(container, '微信支付')
    const error = element('p', { color: '#a8071a', margin: '8px 0 0', fontSize: '14px', minHeight: '20px' }, '', 'sandbox-pay-error')
    const confirm = button('确认支付', 'sandbox-pay-confirm', true)
    const cancel = button('取消', 'sandbox-pay-cancel')
    panel.append(
      element('div', { fontSize: '15px', color: '#646a73' }, '微信支付（沙盒）'),
      element('div', { margin: '12px 0 4px' }, payment.description),
      element('div', { fontSize: '34px', fontWeight: '600' }, '¥' + yuan(payment.amountFen), 'sandbox-pay-amount'),
      error, confirm, cancel,
    )
    confirm.addEventListener('click', async () => {
      confirm.disabled = cancel.disabled = true
      try {
        await api(`payments/${encodeURIComponent(payment.outTradeNo)}/approve`, { userId: userId || '' })
        close()
        resolve('ok')
      } catch (e) {
        error.textContent = e.message
        confirm.disabled = cancel.disabled = false
      }
    })
    cancel.addEventListener('click', async () => {
      close()
      try { await api(`payments/${encodeURIComponent(payment.outTradeNo)}/cancel`) } catch { /* paid elsewhere meanwhile */ }
      resolve('cancel')
    })
    confirm.focus()
  })

  const requestPayment = async (params) => {
    try {
      return { result: await paySheet(await api('payments/open', params)) }
    } catch (e) {
      return { result: 'fail', error: e.message }
    }
  }

  // scanSheet asks for the text of a code, where the WeChat app would open the camera.
  const scanSheet = () => new Promise((resolve) => {
    const { panel, close } = sheet(null, '扫一扫')
    const input = element('input', {
      width: '100%', boxSizing: 'border-box', minHeight: '46px', fontSize: '16px', padding: '8px 12px', marginTop: '14px',
      border: '1px solid #c9cdd4', borderRadius: '8px',
    }, undefined, 'sandbox-scan-text')
    input.placeholder = '粘贴二维码内容'
    input.setAttribute('aria-label', '二维码内容')
    const ok = button('确定', 'sandbox-scan-ok', true)
    const cancel = button('取消', 'sandbox-scan-cancel')
    const done = (text) => { close(); resolve(text) }
    ok.addEventListener('click', () => input.value.trim() && done(input.value.trim()))
    input.addEventListener('keydown', (e) => e.key === 'Enter' && input.value.trim() && done(input.value.trim()))
    cancel.addEventListener('click', () => done(''))
    panel.append(element('div', { fontWeight: '600' }, '扫一扫（沙盒）'), input, ok, cancel)
    input.focus()
  })

  window.sandboxBridge = { paySheet, api, yuan }

  window.WeixinJSBridge = {
    invoke(name, params, callback = () => {}) {
      switch (name) {
        case 'getBrandWCPayRequest':
          requestPayment(params).then(({ result, error }) => {
            callback(error ? { err_msg: 'get_brand_wcpay_request:fail', err_desc: error } : { err_msg: `get_brand_wcpay_request:${result}` })
          })
          break
        case 'scanQRCode':
          scanSheet().then((text) => callback(text ? { err_msg: 'scanQRCode:ok', resultStr: text } : { err_msg: 'scanQRCode:cancel' }))
          break
        default:
          callback({ err_msg: `${name}:ok` })
      }
    },
    call(name) {
      if (name === 'closeWindow') location.href = '/m/'
    },
    on() {},
  }

  const ready = []
  let configured = false
  const finish = (name, options, answer) => {
    const ok = answer.errMsg === `${name}:ok`
    const listener = ok ? options.success : answer.errMsg.endsWith('cancel') ? options.cancel : options.fail
    if (listener) listener(answer)
    if (options.complete) options.complete(answer)
  }

  // An existing wx (the real JS-SDK, loaded first) is replaced: it would wait for the app for ever.
  window.wx = window.jWeixin = {
    config(options) {
      configured = Boolean(options && options.signature)
      if (configured) setTimeout(() => ready.splice(0).forEach((f) => f()))
    },
    ready(f) { configured ? setTimeout(f) : ready.push(f) },
    error() {},
    checkJsApi(options) { finish('checkJsApi', options, { errMsg: 'checkJsApi:ok', checkResult: Object.fromEntries((options.jsApiList || []).map((n) => [n, true])) }) },
    async scanQRCode(options = {}) {
      const text = await scanSheet()
      finish('scanQRCode', options, text ? { errMsg: 'scanQRCode:ok', resultStr: text } : { errMsg: 'scanQRCode:cancel' })
    },
    async chooseWXPay(options = {}) {
      const { timestamp, ...rest } = options
      const { result, error } = await requestPayment({ ...rest, timeStamp: String(timestamp ?? rest.timeStamp), appId: rest.appId })
      finish('chooseWXPay', options, { errMsg: error ? `chooseWXPay:fail ${error}` : `chooseWXPay:${result}` })
    },
    closeWindow() { location.href = '/m/' },
    hideOptionMenu() {},
    hideMenuItems() {},
    updateAppMessageShareData(options = {}) { finish('updateAppMessageShareData', options, { errMsg: 'updateAppMessageShareData:ok' }) },
    updateTimelineShareData(options = {}) { finish('updateTimelineShareData', options, { errMsg: 'updateTimelineShareData:ok' }) },
  }

  const announce = () => document.dispatchEvent(new Event('WeixinJSBridgeReady'))
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', announce)
  else announce()
})()

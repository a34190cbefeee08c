// The sandbox page: a phone, its inbox, WeChat Pay's side and the clock.
(() => {
  'use strict'
  const $ = (id) => document.getElementById(id)
  const home = '/m/'
  const frame = $('sandbox-frame')
  const { paySheet, yuan } = window.sandboxBridge

  const api = async (path, body) => {
    const res = await fetch('/sandbox/api/' + path, body === undefined ? {} : {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
    })
    const answer = await res.json().catch(() => ({}))
    if (!res.ok) throw new Error(answer.error || answer.message || `沙盒没有应答（${res.status}）`)
    return answer
  }

  let hide
  const toast = (text) => {
    $('sandbox-toast').textContent = text
    $('sandbox-toast').classList.add('on')
    clearTimeout(hide)
    hide = setTimeout(() => $('sandbox-toast').classList.remove('on'), 3500)
  }
  const attempt = (f) => async (...args) => {
    try { await f(...args) } catch (e) { toast(e.message) }
    refresh()
  }

  const el = (tag, attrs = {}, ...children) => {
    const e = document.createElement(tag)
    for (const [name, value] of Object.entries(attrs)) {
      if (name === 'onclick') e.addEventListener('click', value)
      else if (value !== undefined && value !== false) e.setAttribute(name, value)
    }
    e.append(...children.filter((c) => c !== undefined && c !== ''))
    return e
  }

  const zone = { timeZone: 'Asia/Shanghai', hour12: false }
  const when = (t) => new Date(t).toLocaleString('zh-CN', { ...zone, month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' })

  let holder = null
  let users = []

  // open shows an address of the product in the phone, whatever host it names.
  const open = (address) => {
    const url = new URL(address, location.href)
    const own = url.host === location.host || ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
    if (!/^https?:$/.test(url.protocol) || !own) throw new Error('手机只能打开本产品的网址：' + address)
    next = url.pathname + url.search + url.hash
    frame.src = 'about:blank' // an address that differs only after # would not load
  }
  let next = ''
  frame.addEventListener('load', () => {
    if (!next || frame.contentWindow.location.href !== 'about:blank') return
    frame.src = next
    next = ''
  })

  const hold = attempt(async (userId) => {
    ({ user: holder } = await api('phone', { userId }))
    sessionStorage.clear() // the member pages' own notes, which belong to the former user
    open(home)
  })

  $('sandbox-new-user').addEventListener('submit', attempt(async (e) => {
    e.preventDefault()
    const u = await api('users', { nickname: $('sandbox-nickname').value, phone: $('sandbox-phone').value })
    e.target.reset()
    await hold(u.id)
  }))

  $('sandbox-scan-form').addEventListener('submit', attempt(async (e) => {
    e.preventDefault()
    const text = $('sandbox-scan').value.trim()
    if (text.startsWith('weixin://wxpay/')) {
      if (!holder) throw new Error('请先选择谁拿着手机')
      const payment = await api('native/scan', { codeUrl: text, userId: holder.id })
      toast(await paySheet(payment, $('sandbox-screen'), holder.id) === 'ok' ? '支付成功' : '已取消支付')
    } else {
      open(text)
    }
    e.target.reset()
  }))

  $('sandbox-home').addEventListener('click', attempt(async () => open(home)))
  $('sandbox-back').addEventListener('click', () => frame.contentWindow.history.back())
  $('sandbox-reload').addEventListener('click', () => frame.contentWindow.location.reload())
  $('sandbox-mine').addEventListener('change', () => refresh())

  const advance = attempt(async (by) => {
    const { now } = await api('clock', { advance: by })
    toast('产品时钟已到 ' + new Date(now).toLocaleString('zh-CN', zone))
  })
  for (const b of document.querySelectorAll('[data-advance]')) b.addEventListener('click', () => advance(b.dataset.advance))
  $('sandbox-midnight').addEventListener('click', attempt(async () => {
    const { now } = await api('clock')
    const day = 24 * 3600e3
    const sinceMidnight = (Date.parse(now) + 8 * 3600e3) % day // in Shanghai
    await advance(`${Math.ceil((day - sinceMidnight) / 1000)}s`)
  }))

  // draw replaces the children of a node, and only when what it shows has changed.
  const drawn = {}
  const draw = (id, data, children) => {
    const text = JSON.stringify(data)
    if (drawn[id] === text) return
    drawn[id] = text
    $(id).replaceChildren(...children())
  }

  const drawUsers = () => {
    $('sandbox-holder').textContent = holder ? `${holder.nickname}的微信` : '未选择微信用户'
    draw('sandbox-users', [users, holder && holder.id], () => users.length ? users.map((u) => el('button', {
      type: 'button', 'data-user': u.id, 'aria-pressed': String(Boolean(holder && holder.id === u.id)), onclick: () => hold(u.id),
    }, u.nickname, el('small', {}, u.phone))) : [el('p', { class: 'empty' }, '还没有微信用户，请在下面新建一个。')])
  }

  const kinds = {
    duesReceipt: '党费缴纳成功通知', duesReminder: '党费缴纳提醒', meetingStarted: '会议通知', bindCode: '绑定验证码', loginCode: '登录验证码',
  }
  const labels = {
    title: '标题', name: '姓名', org: '组织', month: '月份', amount: '金额', points: '积分', time: '时间', place: '地点',
    content: '内容', reason: '原因', orderNo: '订单号', remark: '备注',
  }
  const rank = (name) => Object.keys(labels).indexOf(name) + 1 || 99
  const inOrder = (fields) => Object.entries(fields).sort(([a], [b]) => rank(a) - rank(b))
  const channels = { template: ['模板消息', 'wx'], subscribe: ['订阅消息', 'wx'], sms: ['短信', 'sms'] }

  const drawInbox = (messages) => draw('sandbox-inbox', messages, () => messages.length ? messages.map((m) => {
    const [channel, look] = channels[m.channel]
    return el('li', { class: 'item', 'data-channel': m.channel, 'data-kind': m.kind },
      el('div', { class: 'top' }, el('span', { class: 'tag ' + look }, channel), el('strong', {}, kinds[m.kind] || m.kind),
        el('span', { class: 'tag' }, m.nickname || m.phone || ''), el('time', {}, when(m.at))),
      m.text ? el('p', {}, m.text) : el('dl', {}, ...inOrder(m.fields).flatMap(([k, v]) => [el('dt', {}, labels[k] || k), el('dd', {}, v)])),
      m.url && m.channel === 'template' ? el('button', { type: 'button', class: 'open', onclick: attempt(async () => open(m.url)) }, '查看详情 ›') : '')
  }) : [el('li', { class: 'empty' }, '暂无消息。模板消息、订阅消息和短信会出现在这里。')])

  const states = { NOTPAY: ['待支付', 'wait'], SUCCESS: ['已支付', 'done'], CLOSED: ['已关闭', ''], REFUND: ['有退款', ''] }
  const modes = {
    normal: '真实通知', duplicate: '重复通知', late: '迟到 24 小时', withheld: '不再通知', otherAmount: '金额不符', otherOrder: '冒用他单', refund: '退款冒充支付',
    forged: '伪造签名', badSignature: '签名损坏', signTest: '签名探测', wrongSerial: '证书序号错误', badNonce: '随机串错误', stale: '过期重放',
  }
  const notice = (p, mode) => attempt(async () => {
    const { deliveries } = await api(`payments/${p.outTradeNo}/notice`, { mode })
    toast(deliveries.length ? `${modes[mode]}：产品应答 ${deliveries.map((d) => d.status || '无').join('、')}` : `${modes[mode]}：已设定`)
  })
  const act = (p, verb, done) => attempt(async () => {
    await api(`payments/${p.outTradeNo}/${verb}`, p.type === 'NATIVE' && holder ? { userId: holder.id } : {})
    toast(done)
  })

  const drawPayments = (payments) => draw('sandbox-payments', payments, () => payments.length ? payments.map((p) => {
    const [state, look] = states[p.state]
    const more = el('select', { 'aria-label': '更多通知' }, el('option', { value: '' }, '更多通知…'),
      ...Object.keys(modes).filter((m) => !['duplicate', 'forged', 'late'].includes(m)).map((m) => el('option', { value: m }, modes[m])))
    more.addEventListener('change', () => { if (more.value) notice(p, more.value)(); more.value = '' })
    const b = (label, name, onclick, cls) => el('button', { type: 'button', 'data-act': name, class: cls, onclick }, label)
    return el('li', { class: 'item', 'data-trade': p.outTradeNo, 'data-state': p.state },
      el('div', { class: 'top' }, el('span', { class: 'tag ' + look }, state), el('span', { class: 'money' }, '¥' + yuan(p.amountFen)),
        el('span', {}, p.description), el('span', { class: 'tag' }, p.type === 'NATIVE' ? '扫码' : p.nickname || '公众号'),
        el('time', {}, when(p.createdAt))),
      p.codeUrl && p.state === 'NOTPAY' ? el('p', {}, p.codeUrl) : '',
      p.noticeDue ? el('p', {}, `下一次通知：${when(p.noticeDue)}`) : p.plan && p.state === 'NOTPAY' ? el('p', {}, `支付后：${modes[p.plan]}`) : '',
      p.notices.length ? el('div', { class: 'log' }, ...p.notices.slice(-5).map((d) =>
        el('span', { class: d.status >= 200 && d.status < 300 ? 'good' : 'bad' }, `${when(d.at)} ${modes[d.mode]} → ${d.status || d.answer || '无应答'}`))) : '',
      el('div', { class: 'acts' },
        p.state === 'NOTPAY' ? b('确认支付', 'approve', act(p, 'approve', '支付成功'), 'wechat') : '',
        p.state === 'NOTPAY' ? b('取消', 'cancel', act(p, 'cancel', '已取消，订单仍未支付')) : '',
        p.paidAt ? b('重复通知', 'duplicate', notice(p, 'duplicate')) : '',
        b('伪造', 'forged', notice(p, 'forged')), b('迟到', 'late', notice(p, 'late')), more))
  }) : [el('li', { class: 'empty' }, '暂无订单。在手机上缴纳党费，或扫收款码。')])

  const drawClock = ({ now }) => {
    $('sandbox-clock').textContent = new Date(now).toLocaleString('zh-CN', { ...zone, dateStyle: 'medium', timeStyle: 'medium' })
  }

  let busy = false
  let again = false
  const refresh = async () => {
    if (busy) { again = true; return }
    busy = true
    try {
      const mine = $('sandbox-mine').checked && holder
      const [list, phone, messages, sms, payments] = await Promise.all([
        api('users'), api('phone'), api('messages' + (mine ? '?userId=' + holder.id : '')),
        api('sms' + (mine ? '?phone=' + holder.phone : '')), api('payments'),
      ])
      users = list.users
      holder = phone.user
      drawUsers()
      drawInbox([...messages.messages, ...sms.messages.map((m) => ({ ...m, channel: 'sms' }))]
        .sort((a, b) => Date.parse(b.at) - Date.parse(a.at)).slice(0, 100))
      drawPayments(payments.payments.slice(0, 50))
      drawClock(await api('clock'))
    } catch { /* the product is restarting; the next round tells */ }
    busy = false
    if (again) { again = false; refresh() }
  }

  api('control').then(({ routes }) => $('sandbox-api').replaceChildren(...routes.map((r) =>
    el('tr', {}, ...[r.Method, r.Path, r.Body, r.About].map((t) => el('td', {}, t)))))).catch(() => {})

  refresh().then(() => { frame.src = home })
  setInterval(() => document.visibilityState === 'visible' && refresh(), 2000)
})()

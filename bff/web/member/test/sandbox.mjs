// What tests do with a product in sandbox mode through its own HTTP interfaces. Shared
// by the mini-program's test and the browser tests.
const PASSWORD = process.env.ADMIN_PASSWORD ?? 'Dangjian#2026'

async function call(base, method, path, body, headers = {}) {
  const form = body instanceof FormData // files go as they are
  const res = await fetch(base + path, {
    method,
    headers: { ...(form ? {} : { 'Content-Type': 'application/json' }), 'X-Requested-With': 'zhihuidangjian', ...headers },
    body: form || body === undefined ? body : JSON.stringify(body)
  })
  const text = await res.text()
  if (!res.ok) throw new Error(`${method} ${path}: ${res.status} ${text.slice(0, 300)}`)
  return { res, data: text ? JSON.parse(text) : {} }
}

/** The simulator's control interface: sandbox(base, 'POST', 'users', {…}). */
export const sandbox = async (base, method, path, body) => (await call(base, method, '/sandbox/api/' + path, body)).data

/** The SMS code that a phone received last. */
export async function smsCode(base, phone) {
  const { messages } = await sandbox(base, 'GET', 'sms?phone=' + phone)
  const code = /\d{6}/.exec(messages[0]?.text ?? '')?.[0]
  if (!code) throw new Error(`no code was sent to ${phone}`)
  return code
}

/** An admin's session, the first one's unless another is named: (method, path, body) → answer. */
export async function admin(base, userName = 'admin', password = PASSWORD) {
  const { data: captcha } = await call(base, 'POST', '/api/console/captcha')
  const { x, y } = await sandbox(base, 'GET', 'captcha/' + captcha.id)
  const { data: solved } = await call(base, 'POST', '/api/console/captcha/solve', { id: captcha.id, x, y })
  const { res } = await call(base, 'POST', '/api/console/login', { userName, password, captchaToken: solved.token })
  const cookie = res.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ')
  return async (method, path, body) => (await call(base, method, '/api/console' + path, body, { Cookie: cookie })).data
}

/**
 * A member of the demo data whom nobody bound, with his ID number and phone, and one
 * who owes dues if asked for. Chosen by chance, so that tests seldom meet.
 */
export async function unboundMember(as, { owing = false } = {}) {
  const { total } = await as('GET', '/records/member?size=1')
  for (let tries = 0; tries < 60; tries++) {
    const page = 1 + Math.floor(Math.random() * Math.min(total, 1000))
    const [one] = (await as('GET', `/records/member?size=1&page=${page}`)).items
    if (!one || one.bound) continue
    if (owing) {
      const owed = await as('GET', '/dues/owed?memberId=' + one.id).catch(() => undefined)
      if (!owed?.items?.some((i) => i.due > 0) || owed.orders?.some((o) => o.status === 'unpaid')) continue
    }
    return { ...one, orgName: one._labels?.orgId, ...(await as('POST', `/records/member/${one.id}/reveal`)) }
  }
  throw new Error('no unbound member was found')
}

/** The product's clock, in milliseconds: other tests may have moved it. */
export const clock = async (base) => Date.parse((await sandbox(base, 'GET', 'clock')).now)

// The member's phone: binding, dues, sign-in, at 390 px against BASE_URL (sandbox mode).
import { expect, test, type Browser, type Page } from '@playwright/test'
import { admin, clock, sandbox, smsCode, unboundMember } from '../member/test/sandbox.mjs'
import { inChina, inventedID, inventedPhone } from './invent'

const BASE = process.env.BASE_URL ?? 'http://127.0.0.1:8080'
type Admin = (method: string, path: string, body?: unknown) => Promise<any>
interface Person { id: string; name: string; idNumber: string; phone: string; orgId: string; orgName: string }

let as: Admin
test.beforeAll(async () => {
  as = await admin(BASE)
})

/** A phone in the hands of a new WeChat user. */
async function phoneOf(browser: Browser, nickname: string, phone: string): Promise<Page> {
  const { id } = await sandbox(BASE, 'POST', 'users', { nickname, phone })
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: 'zh-CN', baseURL: BASE })
  await context.request.post('/sandbox/api/phone', { data: { userId: id } })
  return context.newPage()
}

const open = (page: Page, path: string) => page.goto(`/m/#/pages/${path}`)
const button = (page: Page, text: string) => page.locator('uni-button', { hasText: text })
const field = (page: Page, name: string) => page.locator(`.field-${name} input`)

async function fill(page: Page, who: Pick<Person, 'name' | 'idNumber' | 'phone'>) {
  await field(page, 'name').fill(who.name)
  await field(page, 'idNumber').fill(who.idNumber)
  await field(page, 'phone').fill(who.phone)
}

/** Binds on the page that asks for it. */
async function bind(page: Page, who: Person) {
  await expect(page).toHaveURL(/pages\/bind\/index/)
  await fill(page, who)
  await button(page, '获取验证码').click()
  await expect(button(page, '秒后重发')).toBeVisible()
  await field(page, 'code').fill(await smsCode(BASE, who.phone))
  await page.locator('uni-button.submit').click()
}

/** The phone of a member who is bound, with his dues page open. */
async function member(browser: Browser, owing = false, who?: Person) {
  who ??= (await unboundMember(as, { owing })) as Person
  const page = await phoneOf(browser, who.name, who.phone)
  await open(page, 'dues/index')
  await bind(page, who)
  await expect(page.getByText('党费缴纳至')).toBeVisible()
  return { page, who }
}

test('binding: errors at the fields, code by SMS with a count-down, back to where one came from', async ({ browser }) => {
  const who = (await unboundMember(as)) as Person
  const stranger = await phoneOf(browser, '陌生人', '19900000001')
  await open(stranger, 'ranking/index')
  await expect(stranger).toHaveURL(/pages\/bind\/index/)
  await button(stranger, '获取验证码').click()
  await expect(stranger.getByText('请填写姓名')).toBeVisible()
  await fill(stranger, { ...who, idNumber: who.idNumber.slice(0, 17) + (who.idNumber.endsWith('1') ? '2' : '1') })
  await button(stranger, '获取验证码').click()
  await expect(stranger.getByText('身份证号不正确')).toBeVisible()
  await fill(stranger, { ...who, name: '不是他' })
  await button(stranger, '获取验证码').click()
  await expect(stranger.getByText('未找到党员信息')).toBeVisible()

  const page = await phoneOf(browser, who.name, who.phone)
  await open(page, 'ranking/index')
  await bind(page, who)
  await expect(page).toHaveURL(/pages\/ranking\/index/)
  await expect(page.getByText(who.orgName)).toBeVisible()

  await open(page, 'profile/index')
  await expect(page.getByText(who.name)).toBeVisible()
  await expect(page.getByText(who.idNumber)).toHaveCount(0) // masked
  await open(page, 'organization/index')
  await expect(page.getByText(who.orgName).first()).toBeVisible()
})

test('DUES-10 DUES-11 dues are chosen and paid by WeChat, a cancelled payment stays unpaid', async ({ browser }) => {
  const { page, who } = await member(browser, true)
  const first = page.locator('.month').first()
  await expect(first).toBeVisible()
  const before = await page.locator('.through').first().innerText()

  // One month, cancelled: unpaid.
  const count = await page.locator('.month').count()
  for (let i = count; i > 1; i--) await page.locator('.month').nth(i - 1).click()
  await expect(page.getByText('已选 1 个月')).toBeVisible()
  await button(page, '微信支付').click()
  await page.locator('#sandbox-pay-cancel').click()
  await expect(page.getByText('支付已取消')).toBeVisible()
  await expect(page.locator('.order', { hasText: '待支付' })).toHaveCount(1)
  await expect(page.locator('.through').first()).toHaveText(before)
  const orders = async (query: string) => (await as('GET', `/records/duesOrder?size=100&${query}`)).items.filter((o: any) => o.memberId === who.id)
  const unpaid = await orders('f.status=unpaid')
  expect(unpaid).toHaveLength(1)

  // The same again, confirmed: paid.
  await button(page, '微信支付').click()
  await page.locator('#sandbox-pay-confirm').click()
  await expect(page.getByText('支付成功')).toBeVisible({ timeout: 20_000 })
  const today = inChina(await clock(BASE)).slice(0, 10)
  const paid = (await orders(`f.status=paid&f.paidAt=${today},${today}`)).filter((o: any) => o.id === unpaid[0].id)
  expect(paid).toHaveLength(1)
  expect(paid[0].payChannel).toBe('mobile')
  await open(page, 'dues/index')
  await expect(page.locator('.order', { hasText: '已支付' }).first()).toBeVisible()
  await expect(page.locator('.order', { hasText: '待支付' })).toHaveCount(0)
  await expect(page.locator('.through').first()).not.toHaveText(before)

  // Nobody else's order is reachable.
  const other = (await as('GET', '/records/duesOrder?size=50&f.status=paid')).items.find((o: any) => o.memberId !== who.id)
  expect(other).toBeTruthy()
  expect((await page.request.get(`/api/member/dues/orders/${other.id}`)).status()).toBe(404)
  expect((await page.request.get(`/api/member/dues/orders/${paid[0].id}`)).status()).toBe(200)

  // Without a base nothing can be paid.
  const fresh = await as('POST', '/records/member', {
    name: '新同志', idNumber: inventedID(), phone: inventedPhone(), orgId: who.orgId,
    memberType: 'fullMember', joinedOn: '2010-07-01', regularizedOn: '2011-07-01', duesPaidThrough: '2026-01'
  })
  const revealed = (await as('POST', `/records/member/${fresh.id}/reveal`)) as Person
  const { page: without } = await member(browser, false, revealed)
  await expect(without.getByText('请联系党组织设置党费基数')).toBeVisible()
  await expect(button(without, '微信支付')).toHaveCount(0)
})

test('MEET-15 a scan signs in once; a stranger, another time and an unbound phone are told why', async ({ browser }) => {
  const { page, who } = await member(browser)
  const { page: outsider } = await member(browser)
  const now = await clock(BASE)
  const at = (minutes: number) => new Date(now + minutes * 60_000).toISOString()
  const meet = async (title: string, from: number, to: number): Promise<string> => {
    const { id } = await as('POST', '/records/meeting', {
      title, meetingType: 'branch', meetingForm: 'offline', startAt: at(from), endAt: at(to), place: '三楼会议室', agenda: '学习文件', host: '书记',
      needSignIn: true, noticeForm: ['site'], participantIds: [who.id], recorderIds: [who.id]
    })
    await as('POST', `/records/meeting/${id}/actions/start`)
    return new URL((await as('GET', `/meetings/${id}/qr`)).url).hash
  }
  const title = `支部党员大会 ${Date.now()}`
  const code = await meet(title, 20, 90) // 30 minutes early is allowed
  const scan = async (p: Page) => {
    await p.goto('about:blank')
    await p.goto('/m/' + code)
  }

  const stranger = await phoneOf(browser, '未绑定', '19900000002')
  await scan(stranger)
  await expect(stranger).toHaveURL(/pages\/bind\/index/)

  await scan(page)
  await expect(page.getByText('签到成功')).toBeVisible()
  await expect(page.getByText(title)).toBeVisible()
  const time = await page.locator('.cell', { hasText: '签到时间' }).innerText()
  await scan(page)
  await expect(page.getByText('已签到', { exact: true })).toBeVisible()
  expect(await page.locator('.cell', { hasText: '签到时间' }).innerText()).toBe(time)

  await scan(outsider)
  await expect(outsider.getByText('您不在参加对象中')).toBeVisible()
  await page.goto('about:blank')
  await page.goto('/m/' + (await meet(`${title} 后`, 120, 180)))
  await expect(page.getByText('未能签到')).toBeVisible()

  // By the scanner in the page, which knows a code of ours from others.
  await open(page, 'home/index')
  await page.locator('.entry', { hasText: '扫码签到' }).click()
  await page.locator('#sandbox-scan-text').fill('https://example.invalid/')
  await page.locator('#sandbox-scan-ok').click()
  await expect(page.getByText('这不是会议签到二维码')).toBeVisible()
  await page.locator('.uni-modal__btn_primary').click()
  await page.locator('.entry', { hasText: '扫码签到' }).click()
  await page.locator('#sandbox-scan-text').fill(BASE + '/m/' + code)
  await page.locator('#sandbox-scan-ok').click()
  await expect(page.getByText('已签到', { exact: true })).toBeVisible()

  await open(page, 'meeting/list')
  await page.locator('.meeting', { hasText: title }).last().click()
  await expect(page.getByText('学习文件')).toBeVisible()
  await expect(page.getByText('三楼会议室')).toBeVisible()
})

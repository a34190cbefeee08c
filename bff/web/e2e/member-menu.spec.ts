// The member's menu on the phone, at 390 px: what it holds, for whom, and what a message opens.
// Then the console, on what such a member of two organisations took part in.
import { expect, test, type Locator, type Page } from '@playwright/test'
import { admin, clock, sandbox, smsCode } from '../member/test/sandbox.mjs'
import { act, login, open as openMenu, row } from './console'
import { inChina, inventedID, inventedPhone, stamp } from './invent'

const BASE = process.env.BASE_URL ?? 'http://127.0.0.1:8080'
type Admin = (method: string, path: string, body?: unknown) => Promise<any>
const person = (name: string) => ({ name: name + stamp.slice(-4), idNumber: inventedID(), phone: inventedPhone() })
const who = person('金多处')
const names = { home: `家里支部${stamp}`, host: `兼职支部${stamp}` }
const orgs: Record<'home' | 'host', string> = { home: '', host: '' }
const as: Record<string, Admin> = {}
let page: Page
let memberId: string
let wechat: string

test.describe.configure({ mode: 'serial' })
test.beforeAll(async ({ browser }) => {
  const root: Admin = await admin(BASE)
  const { nodes } = await root('GET', '/tree')
  for (const at of ['home', 'host'] as const) {
    orgs[at] = (await root('POST', '/records/organization', { orgName: names[at], orgType: 'branch', parentId: nodes[0].id, secretary: '李书记', contactName: '王联络', contactPhone: inventedPhone() })).id
    const user = { userName: `${at}${stamp}`, password: 'Dangjian#2026', realName: '支部管理员', orgId: orgs[at], status: 'enabled', permissions: ['*'] }
    await root('POST', '/records/user', user)
    as[at] = await admin(BASE, user.userName, user.password)
  }
  memberId = (await root('POST', '/records/member', { ...who, orgId: orgs.home, memberType: 'fullMember', joinedOn: '2008-07-01', regularizedOn: '2009-07-01' })).id
  wechat = (await sandbox(BASE, 'POST', 'users', { nickname: who.name, phone: who.phone })).id
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, baseURL: BASE })
  await context.request.post('/sandbox/api/phone', { data: { userId: wechat } })
  page = await context.newPage()
})
test.afterAll(() => page?.context().close())

const visible = (selector: string): Locator => page.locator(`${selector}:visible`)
/** Opens a page of the phone as a message or another entry does: from the start. */
async function open(path: string) {
  await page.goto('about:blank')
  await page.goto(`/m/#/${path}`)
}

test('MENU-10 who is not bound finds the binding page at every address, and no data', async () => {
  const asked: string[] = []
  page.on('response', (r) => { if (r.url().includes('/api/member/') && !/\/(me|mini-login)$/.test(r.url()) && r.ok()) asked.push(r.url()) })
  for (const path of ['home/index', 'org/index', 'study/index', 'apply/index', 'mine/index', 'dues/index', 'meeting/list', 'points/index', 'ranking/index', 'personal/index', 'profile/index', 'organization/index', 'messages/index', 'records/list?type=suggestion', 'records/detail?type=reward&id=x', 'records/form?type=suggestion']) {
    await open(`pages/${path}`)
    await expect(page, path).toHaveURL(/pages\/bind\/index/)
  }
  expect(asked).toEqual([])
  page.removeAllListeners('response')
})

test('MENU-07 我的 holds its eight entries, score and rank; who has no case has no 发展资料', async () => {
  await open('pages/mine/index')
  for (const key of ['name', 'idNumber', 'phone'] as const) await page.locator(`.field-${key} input`).fill(who[key])
  await visible('uni-button').filter({ hasText: '获取验证码' }).click()
  await expect(visible('uni-button').filter({ hasText: '秒后重发' })).toBeVisible()
  await page.locator('.field-code input').fill(await smsCode(BASE, who.phone))
  await visible('uni-button.submit').click()
  await expect(visible('.cell')).toHaveText(['个人信息', '我的组织', '组织评价', '我的奖惩', '我的建议', '需要帮助', '发展资料', '我的特长'])
  await expect(visible('.score-label')).toHaveText([/^\d{4} 年积分/, /支部排名/])
  await expect(visible('.score-number').first()).toHaveText('0')
  await expect(visible('.score-number').nth(1)).not.toHaveText(/^1( |$)/)
  await visible('.cell').filter({ hasText: '发展资料' }).click()
  await expect(page.getByText('暂无发展资料')).toBeVisible()
  for (const text of ['个人信息', '我的组织', '组织评价', '我的奖惩', '我的建议', '需要帮助', '我的特长']) {
    await open('pages/mine/index')
    await visible('.cell').filter({ hasText: text }).click()
    await expect(page.getByText(text === '个人信息' ? '基本信息' : text === '我的组织' ? names.home : /暂无数据|组织评价/).filter({ visible: true }).first()).toBeVisible()
  }
})

test('MENU-11 MENU-12 messages open exactly their record, also when it is gone; events of two organisations stand under their names', async () => {
  const now = await clock(BASE)
  const day = (n: number) => inChina(now + n * 86_400_000).slice(0, 10)
  const guest = await as.host('POST', '/records/partTimeMember', { ...who, homeOrgName: 'x', startOn: day(-1), endOn: day(2) })
  const ids: Record<string, string> = {}
  for (const [at, id] of [['home', memberId], ['host', guest.id]] as const) {
    const m = await as[at]('POST', '/records/meeting', {
      title: `${names[at]}的会`, meetingType: 'branch', meetingForm: 'onlineMeeting', needSignIn: false, noticeForm: ['wechat', 'site'], participantIds: [id],
      startAt: new Date(now + 3_600_000).toISOString(), endAt: new Date(now + 7_200_000).toISOString(),
    })
    await as[at]('POST', `/records/meeting/${m.id}/actions/start`)
    ids[at] = m.id
  }
  await open('pages/meeting/list')
  for (const at of ['home', 'host'] as const) await expect(visible('.meeting').filter({ hasText: `${names[at]}的会` }).getByText(names[at], { exact: true })).toBeVisible()
  await open('pages/organization/index')
  await expect(page.getByText(names.home, { exact: true }).first()).toBeVisible()
  await expect(page.getByText(names.host)).toHaveCount(0)

  const urls = async () => (await sandbox(BASE, 'GET', `messages?userId=${wechat}`)).messages.map((m: any) => m.url)
  await expect.poll(async () => (await urls()).length).toBe(2)
  for (const at of ['home', 'host'] as const) {
    const url: string = (await urls()).find((u: string) => u.endsWith(ids[at]))
    await open(url.split('/m/#/')[1])
    await expect(visible('.title').first()).toHaveText(`${names[at]}的会`)
  }
  await as.host('POST', '/records/meeting/delete', { ids: [ids.host] })
  await open(`pages/meeting/detail?id=${ids.host}`)
  await expect(page.getByText('内容不存在')).toBeVisible()
})

test('PART-12 LEDG-03 参加情况 and the ledger show the meeting with the names of who took part; what is empty says so', async ({ page: desk }) => {
  const now = await clock(BASE)
  const m = await as.host('POST', '/records/meeting', {
    title: '兼职参加的会', meetingType: 'branch', meetingForm: 'onlineMeeting', needSignIn: true, noticeForm: ['site'], participantOrgId: orgs.host,
    startAt: new Date(now + 3_600_000).toISOString(), endAt: new Date(now + 7_200_000).toISOString(),
  })
  await as.host('POST', `/records/meeting/${m.id}/actions/start`)
  await login(desk, `host${stamp}`)
  await openMenu(desk, '兼职党员')
  await act(row(desk, who.name), '参加情况')
  const lists = desk.locator('.el-dialog:visible .related')
  await expect(lists.locator('h3')).toHaveText(['活动', '会议', '学习'])
  await expect(lists.nth(0)).toContainText('暂无数据')
  for (const text of ['兼职参加的会', '未签到']) await expect(lists.nth(1)).toContainText(text)
  await expect(lists.nth(2)).toContainText('暂无数据')
  if (process.env.SHOTS) await desk.screenshot({ path: `${process.env.SHOTS}/participation.png` })
  await desk.keyboard.press('Escape')

  await desk.goto('/console/#/r/organizationLedger')
  await act(row(desk, names.host), '查看')
  const meetings = desk.locator('.el-dialog:visible .related').filter({ has: desk.locator('h3', { hasText: /^会议$/ }) })
  for (const text of ['兼职参加的会', who.name]) await expect(meetings).toContainText(text)
  if (process.env.SHOTS) await desk.screenshot({ path: `${process.env.SHOTS}/ledger.png` })
  await desk.locator('.year .el-select').click()
  await desk.locator('.el-select-dropdown__item:visible').nth(1).click()
  await expect(meetings).toContainText('暂无数据')
})

// Journey 2, check-in, through the console and the sandbox phone beside each other: what
// one test leaves is what the next begins with.
import { expect, test, type Page } from '@playwright/test'
import { admin, clock, sandbox } from '../member/test/sandbox.mjs'
import { act, choose, confirm, download, field, login, open, row, search, verbs } from './console'
import { inChina, inventedID, inventedPhone, stamp } from './invent'
import { Phone, type Person } from './phone'
import { Workbook } from './xlsx'

const BASE = process.env.BASE_URL ?? 'http://127.0.0.1:8080'
const branch = `北山党支部${stamp}`
const title = `支部党员大会${stamp}`
const person = (name: string): Person => ({ name: name + stamp.slice(-4), idNumber: inventedID(), phone: inventedPhone() })
const comer = person('江月明')
const second = person('罗长庚')
const absent = person('梁满仓')
const stranger = person('宋远行')

let page: Page
let phone: Phone
let as: (method: string, path: string, body?: unknown) => Promise<any>
let orgId: string
const ids = new Map<Person, string>()
const now = () => clock(BASE)

test.describe.configure({ mode: 'serial' })
test.beforeAll(async ({ browser }) => {
  as = await admin(BASE)
  const { nodes } = await as('GET', '/tree')
  orgId = (await as('POST', '/records/organization', {
    orgName: branch, orgType: 'branch', parentId: nodes[0].id, secretary: '李书记', contactName: '王联络', contactPhone: inventedPhone(),
  })).id
  for (const who of [comer, second, absent, stranger])
    ids.set(who, (await as('POST', '/records/member', { ...who, orgId, memberType: 'fullMember', joinedOn: '2008-07-01', regularizedOn: '2009-07-01', duesPaidThrough: '2026-10' })).id)
  page = await (await browser.newContext()).newPage()
  phone = await Phone.of(await browser.newContext())
  for (const who of [stranger, second, comer]) {
    await phone.newUser(who.name, who.phone)
    await phone.bind(who)
    await expect(phone.screen.locator('.branch')).toHaveText(branch)
  }
  await login(page)
})
test.afterAll(async () => {
  await page.context().close()
  await phone.page.context().close()
})

test('MEET-02 a meeting is added with all it needs, and not without', async () => {
  await open(page, '会议')
  await page.getByRole('button', { name: '添加', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: '新增会议' })
  const save = () => dialog.getByRole('button', { name: '确定' }).click()
  await save()
  for (const label of ['会议名称', '会议类型', '会议形式', '开始时间', '结束时间', '通知形式']) await expect(dialog.getByText(`请填写${label}`)).toBeVisible()

  await field(dialog, 'title').locator('input').fill(title)
  await choose(field(dialog, 'meetingType'), '支部会议')
  await choose(field(dialog, 'meetingForm'), '线下活动')
  const when = async (key: string, t: number) => {
    const input = field(dialog, key).locator('input')
    await input.fill(inChina(t).slice(0, 16))
    await input.press('Enter')
  }
  const t = await now()
  await when('startAt', t + 3_600_000)
  await when('endAt', t - 600_000)
  await choose(field(dialog, 'noticeForm'), '公众号')
  await page.keyboard.press('Escape')
  await field(dialog, 'needSignIn').locator('.el-switch').click()
  await save()
  await expect(dialog.getByText('会议开始时间不能晚于会议结束时间')).toBeVisible()
  await expect(dialog.getByText('请填写地点')).toBeVisible()
  await expect(dialog.getByText('请选择参加对象')).toBeVisible()
  expect((await as('GET', `/records/meeting?f.title=${encodeURIComponent(title)}`)).total).toBe(0)

  await when('startAt', t - 600_000)
  await when('endAt', t + 3_600_000)
  await field(dialog, 'place').locator('input').fill('北山路 3 号会议室')
  await field(dialog, 'agenda').locator('textarea').fill('学习文件，讨论发展计划。')
  const people = async (key: string, ...chosen: Person[]) => {
    await field(dialog, key).getByRole('button', { name: '选择人员' }).click()
    const chooser = page.getByRole('dialog', { name: '选择人员' })
    await chooser.locator('.orgs .el-tree-node__content', { hasText: branch }).click()
    for (const who of chosen) await chooser.locator('.names .el-checkbox', { hasText: who.name }).click()
    await chooser.getByRole('button', { name: '确定' }).click()
    await expect(field(dialog, key)).toContainText(`已选 ${chosen.length} 人`)
  }
  await people('participantIds', comer, second, absent)
  await people('recorderIds', comer)
  await save()
  await expect(dialog).toBeHidden()
  const line = row(page, title)
  await expect(line).toContainText('未启动')
  expect((await verbs(line)).sort()).toEqual(['修改', '删除', '启动', '查看'].sort())
})

test('MEET-07 MEET-12 MEET-14 MEET-18 started, it is told to its participants once and shows 二维码 and 统计', async () => {
  const { items } = await as('GET', `/records/meeting?f.title=${encodeURIComponent(title)}`)
  const id: string = items[0].id
  for (const what of ['qr', 'statistics']) await expect(as('GET', `/meetings/${id}/${what}`)).rejects.toThrow('会议未启动')
  await phone.home()
  await phone.entry('会议列表').click()
  await expect(phone.screen.getByText('暂无会议')).toBeVisible()

  await act(row(page, title), '启动')
  await confirm(page, '取消')
  await expect(row(page, title)).toContainText('未启动')
  await act(row(page, title), '启动')
  await confirm(page)
  const line = row(page, title)
  await expect(line).toContainText('进行中')
  await expect(line).toContainText('二维码')
  const offered = await verbs(line)
  for (const verb of ['修改', '启动']) expect(offered).not.toContain(verb)
  for (const verb of ['二维码', '统计']) expect(offered).toContain(verb)
  await expect(as('POST', `/records/meeting/${id}/actions/start`)).rejects.toThrow('会议已启动')

  // Those who are bound have one message each, which opens the meeting.
  await expect(phone.inbox('meetingStarted')).toHaveCount(1)
  await expect(phone.inbox('meetingStarted')).toContainText(title)
  await phone.opens(() => phone.inbox('meetingStarted').getByRole('button', { name: '查看详情' }).click())
  await expect(phone.screen.getByText('学习文件，讨论发展计划。')).toBeVisible()
  await phone.hand(stranger.phone)
  await expect(phone.inbox('meetingStarted')).toHaveCount(0)
  await phone.entry('会议列表').click()
  await expect(phone.screen.getByText('暂无会议')).toBeVisible()
  await phone.hand(comer.phone)
  await phone.entry('会议列表').click()
  await expect(phone.screen.locator('.meeting', { hasText: title })).toContainText('进行中')

  // A meeting without sign-in has no code.
  const t = await now()
  const quiet = await as('POST', '/records/meeting', {
    title: `不签到${stamp}`, meetingType: 'other', meetingForm: 'onlineMeeting', startAt: new Date(t).toISOString(), endAt: new Date(t + 3_600_000).toISOString(),
    noticeForm: ['site'], participantIds: [ids.get(comer)], recorderIds: [],
  })
  await as('POST', `/records/meeting/${quiet.id}/actions/start`)
  await expect(as('GET', `/meetings/${quiet.id}/qr`)).rejects.toThrow('不需要签到')
  await search(page, '会议名称', `不签到${stamp}`)
  await expect(row(page, `不签到${stamp}`)).toBeVisible()
  const few = await verbs(row(page, `不签到${stamp}`))
  expect(few).toContain('统计')
  expect(few).not.toContain('二维码')
})

test('MEET-13 MEET-15 the code on the screen signs in once who is expected, now, and is counted at once', async () => {
  await search(page, '会议名称', title)
  await act(row(page, title), '二维码')
  const image = page.getByAltText('会议签到二维码')
  await expect(image).toBeVisible()
  expect(await image.evaluate((i: HTMLImageElement) => i.naturalWidth)).toBeGreaterThan(200)
  const picture = await download(page, () => page.getByRole('link', { name: '保存图片' }).click())
  expect(picture.data.toString('latin1', 1, 4)).toBe('PNG')
  const code = async () => (await image.getAttribute('data-url'))!
  const count = page.locator('.count')
  await expect(count).toContainText('0 / 3 人已签到')
  // The same page on the organiser's second screen takes the browser's one stream; both count on.
  const beside = await page.context().newPage()
  await beside.goto(page.url())
  await expect(beside.locator('.count')).toContainText('0 / 3 人已签到')

  const { screen } = phone
  const points = async () => {
    await phone.home()
    await phone.tab('我的').click()
    return Number(await screen.locator('.score-number').first().innerText())
  }
  const before = await points()
  await phone.scan(await code())
  await expect(screen.getByText('签到成功')).toBeVisible()
  await expect(screen.getByText(title)).toBeVisible()
  for (const tab of [page, beside]) await expect(tab.locator('.count')).toContainText('1 / 3 人已签到')
  await beside.close()
  await expect(page.locator('.arrivals li').first()).toContainText(comer.name)
  await expect.poll(points).toBeGreaterThan(before)

  await phone.scan(await code())
  await expect(screen.getByText('已签到', { exact: true })).toBeVisible()
  await expect(screen.getByText('无需重复签到')).toBeVisible()
  await phone.hand(stranger.phone)
  await phone.scan(await code())
  await expect(screen.getByText('您不在参加对象中')).toBeVisible()

  // A code of a while ago is worth nothing; the screen has a new one by itself.
  const old = await code()
  await sandbox(BASE, 'POST', 'clock', { advance: '3m' })
  await phone.hand(second.phone)
  await phone.scan(old)
  await expect(screen.getByText('二维码已失效')).toBeVisible()
  await expect(image).not.toHaveAttribute('data-url', old, { timeout: 15_000 })
  await phone.scan(await code())
  await expect(screen.getByText('签到成功')).toBeVisible()
  await expect(count).toContainText('2 / 3 人已签到')

  // Too early, and unbound.
  const t = await now()
  const later = await as('POST', '/records/meeting', {
    title: `稍后${stamp}`, meetingType: 'branch', meetingForm: 'offline', place: '礼堂', startAt: new Date(t + 7_200_000).toISOString(), endAt: new Date(t + 9_000_000).toISOString(),
    needSignIn: true, noticeForm: ['site'], participantIds: [ids.get(second)], recorderIds: [],
  })
  await as('POST', `/records/meeting/${later.id}/actions/start`)
  await phone.scan((await as('GET', `/meetings/${later.id}/qr`)).url)
  await expect(screen.getByText('未到签到时间')).toBeVisible()
  await phone.newUser('路人', inventedPhone())
  await phone.scan(await code())
  await expect(screen.getByText('首次使用请绑定党员身份')).toBeVisible()
  await page.getByRole('button', { name: '返回' }).click()
})

test('MEET-18 MEET-19 统计 shows who came, and exports as it shows', async () => {
  await search(page, '会议名称', title)
  await act(row(page, title), '统计')
  await expect(page.getByRole('heading', { name: `会议统计：${title}` })).toBeVisible()
  for (const [what, n] of [['应到', 3], ['已签到', 2], ['未签到', 1]] as const)
    await expect(page.locator('.el-statistic', { hasText: what }).first()).toContainText(String(n))
  await expect(row(page, comer.name)).toContainText(branch)
  await expect(row(page, absent.name)).toContainText('未签到')
  await expect(row(page, stranger.name)).toHaveCount(0)

  const file = await download(page, () => page.getByRole('button', { name: '导出' }).click())
  const book = new Workbook(file.data)
  const [head, ...rows] = book.rows(book.sheets[0])
  for (const label of ['姓名', '所在组织', '手机号', '报名', '请假', '签到时间']) expect(head.join()).toContain(label)
  expect(rows).toHaveLength(3)
  for (const shown of await page.locator('.el-table__body tr').all()) {
    const [name, org, phone, signedIn] = await shown.locator('td').allInnerTexts()
    const line = rows.find((r) => r.includes(name))!
    expect(line).toContain(org)
    expect(line).toContain(phone)
    if (signedIn === '未签到') expect(line.join()).not.toMatch(/\d{2}:\d{2}:\d{2}/)
    else expect(line.join()).toContain(signedIn)
  }
})

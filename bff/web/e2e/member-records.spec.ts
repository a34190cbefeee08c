// The member's own records on the phone, at 390 px: what he reads, hands in and keeps.
import { readFileSync } from 'node:fs'
import { expect, test, type Locator, type Page } from '@playwright/test'
import { admin, sandbox, smsCode } from '../member/test/sandbox.mjs'
import { inventedID, inventedPhone, stamp } from './invent'

const BASE = process.env.BASE_URL ?? 'http://127.0.0.1:8080'
type Admin = (method: string, path: string, body?: unknown) => Promise<any>
const person = (name: string) => ({ name: name + stamp.slice(-4), idNumber: inventedID(), phone: inventedPhone() })
const who = person('何思源')
const other = person('方不同')
const picture = { name: '照片.png', mimeType: 'image/png', buffer: readFileSync('../portal/console.png') }
const newPhone = inventedPhone()
const newMasked = newPhone.slice(0, 3) + '****' + newPhone.slice(7)
const branch = `泉水党支部${stamp}`
const secretary = { orgName: branch, orgType: 'branch', secretary: '李书记', contactName: '王联络', contactPhone: inventedPhone(), address: '泉水路 6 号' }

let root: Admin
let as: Admin // the branch's own admin
let page: Page
let orgId: string
const ids: Record<string, string> = {}

test.describe.configure({ mode: 'serial' })
test.beforeAll(async ({ browser }) => {
  root = await admin(BASE)
  const { nodes } = await root('GET', '/tree')
  orgId = (await root('POST', '/records/organization', { ...secretary, parentId: nodes[0].id })).id
  const user = { userName: `clerk${stamp}`, password: 'Dangjian#2026', realName: '支部管理员', orgId, status: 'enabled', permissions: ['*'] }
  await root('POST', '/records/user', user)
  for (const one of [who, other])
    ids[one.name] = (await root('POST', '/records/member', { ...one, orgId, memberType: 'fullMember', joinedOn: '2008-07-01', regularizedOn: '2009-07-01' })).id
  as = await admin(BASE, user.userName, user.password)
  const { id } = await sandbox(BASE, 'POST', 'users', { nickname: who.name, phone: who.phone })
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, baseURL: BASE })
  await context.request.post('/sandbox/api/phone', { data: { userId: id } })
  page = await context.newPage()
  page.on('request', (r) => { if (!r.url().startsWith(BASE) && !/^(data|blob):/.test(r.url())) outside.push(r.url()) })
})
const outside: string[] = []
test.afterEach(async () => {
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
  expect(outside).toEqual([])
})
test.afterAll(() => page?.context().close())

async function look(name: string) {
  if (!process.env.SHOTS) return
  await page.waitForLoadState('networkidle')
  await expect(page.locator('uni-toast:visible')).toHaveCount(0)
  await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` })
}
const visible = (selector: string): Locator => page.locator(`${selector}:visible`)
/** Opens an entry of 我的, or of a page below it. */
async function enter(...path: string[]) {
  await page.goto('/m/#/pages/mine/index')
  for (const text of path) await visible('.cell').filter({ hasText: text }).click()
}
const add = () => visible('uni-button.add').click()
const submit = () => visible('uni-button.submit').click()
const button = (text: string): Locator => visible('uni-button').filter({ hasText: text })
const input = (key: string): Locator => page.locator(`.field-${key} input:visible, .field-${key} textarea:visible`)
const wrong = (key: string): Locator => visible(`.field-${key} .error`)
/** Takes what a chooser offers first. */
async function pick(key: string) {
  await visible(`.field-${key} uni-picker`).click()
  await page.locator('.uni-picker-action-confirm:visible').click()
}
const record = (text = ''): Locator => visible('.record').filter({ hasText: text })
const empty = () => expect(page.getByText('暂无数据').filter({ visible: true })).toBeVisible()
/** A picture that the server gave. */
const shows = (image: Locator) => expect.poll(() => image.evaluate((i: HTMLImageElement) => i.naturalWidth)).toBeGreaterThan(100)
const mine = async (type: string) => (await as('GET', `/records/${type}?f.memberId=${ids[who.name]}`)).items
/** Requests of the phone itself, past the pages. */
const status = async (path: string) => (await page.request.get(`/api/member/${path}`)).status()

test('ORG-03 MENU-08 an unbound visitor binds first, then sees his organisation and the entries of 个人信息', async () => {
  await page.goto('/m/#/pages/organization/index')
  await expect(page).toHaveURL(/pages\/bind\/index/)
  for (const key of ['name', 'idNumber', 'phone'] as const) await page.locator(`.field-${key} input`).fill(who[key])
  await button('获取验证码').click()
  await expect(button('秒后重发')).toBeVisible()
  await page.locator('.field-code input').fill(await smsCode(BASE, who.phone))
  await submit()
  for (const text of [branch, '党支部', '李书记', '王联络', '泉水路 6 号', '2 人']) await expect(page.getByText(text, { exact: true }).first()).toBeVisible()
  await look('organization')
  await page.goto('/m/#/pages/mine/index')
  await expect(visible('.cell')).toHaveText(['个人信息', '我的组织', '组织评价', '我的奖惩', '我的建议', '需要帮助', '发展资料', '我的特长'])
  await look('mine')
  await enter('个人信息')
  await expect(visible('.cell')).toHaveText(['基本信息', '常用联系人', '修改申请'])
  await look('personal')
})

test('MEMB-05 contacts are added, changed and taken away; the console shows them', async () => {
  await enter('个人信息', '常用联系人')
  await empty()
  await look('contacts-empty')
  await add()
  await input('relation').fill('同事')
  await submit()
  await expect(wrong('name')).toHaveText('请填写姓名')
  await expect(wrong('phone')).toHaveText('请填写电话')
  await expect(input('relation')).toHaveValue('同事')
  await look('contact-errors')
  await input('name').fill('张联系')
  await input('phone').fill('123')
  await submit()
  await expect(wrong('phone')).toContainText('电话')
  await input('phone').fill('13800138000')
  await submit()
  await expect(record('张联系')).toContainText('138****8000')
  await look('contacts')
  const kept = async () => (await as('GET', `/records/memberContact?f.memberId=${ids[who.name]}`)).items.map((c: any) => [c.name, c.relation, c.phone])
  expect(await kept()).toEqual([['张联系', '同事', '138****8000']])

  // Changed; the phone that nobody typed anew stays as it was.
  await record('张联系').click()
  await expect(visible('.field-phone')).toContainText('138****8000')
  await look('contact')
  await button('修改').click()
  await expect(input('phone')).toHaveValue('')
  await look('contact-form')
  await input('name').fill('张新名')
  await submit()
  await expect(visible('.field-name')).toContainText('张新名')
  expect(await kept()).toEqual([['张新名', '同事', '138****8000']])
  await button('删除').click()
  await visible('.uni-modal__btn_primary').click()
  await empty()
  expect(await kept()).toEqual([])
})

test('MEMB-03 MEMB-06 a change of own data waits for approval, one at a time, and tells what became of it', async () => {
  const member = () => as('GET', `/records/member/${ids[who.name]}`)
  const ask = async (key: string, value: string) => {
    await enter('个人信息', '修改申请')
    await add()
    await input(key).fill(value)
    await submit()
  }
  await enter('个人信息', '修改申请')
  await empty()
  await add()
  for (const key of ['name', 'idNumber', 'memberType']) await expect(page.locator(`.field-${key}`)).toHaveCount(0)
  await submit()
  await expect(visible('.notice')).toContainText('请至少修改一项内容')
  await look('change-form')

  const before = await member()
  await ask('phone', newPhone)
  await expect(record(newMasked).locator('.tag')).toHaveText('待审核')
  await expect(record()).toContainText(before.phone)
  const pending = (await mine('profileChange'))[0]
  expect(pending.changes).toEqual([expect.objectContaining({ field: 'phone', oldValue: before.phone, newValue: newMasked })])
  expect((await member()).phone).toBe(before.phone)
  await ask('email', 'a@example.com')
  await expect(visible('.notice')).toContainText('已有待审核的修改')

  await as('POST', `/records/profileChange/${pending.id}/actions/reject`, { opinion: '请写明原因' })
  await enter('个人信息', '修改申请')
  await expect(record().locator('.tag')).toHaveText('审核未通过')
  await record().click()
  await expect(visible('.field-opinion')).toContainText('请写明原因')
  await look('change')
  expect((await member()).phone).toBe(before.phone)
  await ask('phone', newPhone)
  await expect(record()).toHaveCount(2)
  const again = (await mine('profileChange')).find((c: any) => c.state === 'pending')
  await as('POST', `/records/profileChange/${again.id}/actions/approve`, { opinion: '同意' })
  await enter('个人信息', '修改申请')
  await expect(record('审核通过')).toHaveCount(1)
  await look('changes')
  expect((await member()).phone).toBe(newMasked)
})

test('MEMB-10 基本信息 is what the console has', async () => {
  await enter('个人信息', '基本信息')
  const kept = await as('GET', `/records/member/${ids[who.name]}`)
  for (const text of [who.name, kept.idNumber, kept.phone, '正式党员', kept.joinedOn, branch]) await expect(page.getByText(text, { exact: true }).filter({ visible: true }).first()).toBeVisible()
  await expect(page.getByText(who.idNumber)).toHaveCount(0)
  await look('profile')
})

test('OEVL-03 he evaluates his own organisation, every aspect of it', async () => {
  await enter('组织评价')
  await add()
  await expect(page.locator('.field-orgId')).toHaveCount(0) // no other can be named
  await submit()
  await expect(wrong('aspects')).toHaveText('请填写评价')
  const rate = (aspect: string, n: number) => visible(`.aspect-${aspect} .chip`).filter({ hasText: `${n} 分` }).click()
  await rate('organisationBuilding', 5)
  await rate('ideologicalBuilding', 4)
  await submit()
  await expect(wrong('aspects')).toHaveText('请为群众来信方面评分')
  await rate('publicLetters', 3)
  await input('content').fill('支部工作扎实')
  await look('evaluation-form')
  await submit()
  await expect(record('支部工作扎实')).toHaveCount(1)
  await look('evaluations')
  await record('支部工作扎实').click()
  await expect(visible('.field-orgId')).toContainText(branch)
  await look('evaluation')
  const { items } = await as('GET', '/records/organizationEvaluation')
  expect(items.map((e: any) => [e.orgId, e._labels.aspects, e.content])).toEqual([[orgId, '组织建设方面：5分；党员思想建设方面：4分；群众来信方面：3分', '支部工作扎实']])
})

test('RWD-04 SANC-03 我的奖惩 shows his own rewards and sanctions, newest first, to be read only', async () => {
  await enter('我的奖惩')
  await empty()
  const reward = (name: string, memberName: string, rewardedOn: string) =>
    as('POST', '/records/reward', { memberId: ids[memberName], rewardName: name, rewardLevel: 'county', authority: '区委组织部', rewardedOn, content: `${name}的事迹` })
  const sanction = (reason: string, memberName: string) => as('POST', '/records/sanction', { memberId: ids[memberName], sanctionType: 'warning', sanctionedOn: '2026-03-01', reason })
  await reward('优秀党员', who.name, '2025-07-01')
  await reward('先进个人', who.name, '2026-07-01')
  const theirs = [await reward('别人的奖励', other.name, '2026-01-01'), await sanction('别人的处分', other.name)]
  const own = await sanction('迟报材料', who.name)

  await enter('我的奖惩')
  await expect(record()).toHaveCount(2)
  for (const text of ['先进个人', '2026-07-01', '先进个人的事迹']) await expect(record().first()).toContainText(text)
  await expect(record().last()).toContainText('优秀党员')
  await look('rewards')
  await visible('.tab').filter({ hasText: '党员处分' }).click()
  await expect(record()).toHaveCount(1)
  for (const text of ['警告', '2026-03-01', '迟报材料']) await expect(record()).toContainText(text)
  await expect(visible('uni-button.add')).toHaveCount(0)
  await record().click()
  await expect(visible('.field-reason')).toContainText('迟报材料')
  for (const text of ['修改', '删除']) await expect(button(text)).toHaveCount(0)
  await look('sanction')
  expect(await status(`records/reward/${theirs[0].id}`)).toBe(404)
  expect(await status(`records/sanction/${theirs[1].id}`)).toBe(404)
  expect(await status(`records/sanction/${own.id}`)).toBe(200)
})

for (const [id3, id4, entry, type, noun] of [['SUGG-03', 'SUGG-04', '我的建议', 'suggestion', '建议'], ['HELP-03', 'HELP-04', '需要帮助', 'helpRequest', '帮助']] as const) {
  test(`${id3} ${id4} ${entry}: handed in, told to the branch's admin, read and answered`, async () => {
    const told = async () => (await as('GET', '/notifications')).notifications?.filter((n: any) => n.targetType === type) ?? []
    await enter(entry)
    await empty()
    await add()
    await input('title').fill('改善活动室')
    await submit()
    await expect(wrong('content')).toHaveText(`请填写${noun}内容`)
    expect(await mine(type)).toEqual([])
    expect(await told()).toEqual([])
    await input('content').fill('活动室的灯坏了，请修理。')
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), visible('.field-images .chip').last().click()])
    await chooser.setFiles(picture)
    await expect(visible('.field-images .chip')).toHaveCount(2)
    await look(`${type}-form`)
    await submit()
    await expect(record('改善活动室').locator('.tag')).toHaveText('未查看')
    await expect(record()).toContainText('活动室的灯坏了')
    const kept = await mine(type)
    expect(kept).toHaveLength(1)
    await expect.poll(async () => (await told()).length).toBe(1)

    await as('GET', `/records/${type}/${kept[0].id}`)
    await enter(entry)
    await expect(record('改善活动室').locator('.tag')).toHaveText('已查看')
    await as('POST', `/records/${type}/${kept[0].id}/actions/reply`, { reply: '本周修好' })
    await enter(entry)
    await expect(record('改善活动室').locator('.tag')).toHaveText('已回复')
    await look(`${type}s`)
    await record().click()
    await expect(visible('.field-reply')).toContainText('本周修好')
    await shows(visible('.field-images img'))
    await look(type)

    // A message about the answer opens it.
    const inbox = async () => (await (await page.request.get('/api/member/notifications')).json()).notifications ?? []
    await expect.poll(async () => (await inbox()).some((n: any) => n.targetId === kept[0].id)).toBe(true)
    await page.goto('/m/#/pages/messages/index')
    await visible('.card').filter({ hasText: `${noun}已回复` }).click()
    await expect(visible('.field-reply')).toContainText('本周修好')
    // Only his own are reachable.
    const { items } = await root('GET', `/records/${type}?size=100`)
    for (const one of items.filter((i: any) => i.memberId !== ids[who.name]).slice(0, 1)) expect(await status(`records/${type}/${one.id}`)).toBe(404)
  })
}

test('HARD-03 HARD-04 RETR-03 RETR-04 申请: applied for on the phone, decided on in the console, followed by the member', async () => {
  const apply = async (entry: string) => {
    await page.goto('/m/#/pages/apply/index')
    await visible('.entry').filter({ hasText: entry }).click()
  }
  await page.goto('/m/#/pages/apply/index')
  await expect(visible('.entry')).toHaveText(['困难党员', '退休', '出国出境', '流动党员'])
  await look('apply')
  await apply('困难党员')
  await empty()
  await add()
  await expect(page.locator('.field-assistance')).toHaveCount(0)
  await submit()
  await expect(wrong('hardshipType')).toHaveText('请选择困难类型')
  await expect(wrong('description')).toHaveText('请填写困难情况')
  await pick('hardshipType')
  await input('description').fill('房屋受灾，生活困难。')
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), visible('.field-files .chip').last().click()])
  await chooser.setFiles(picture)
  await expect(visible('.field-files .chip')).toHaveCount(2)
  await look('hardship-form')
  await submit()
  await expect(record().locator('.tag')).toHaveText('待审核')
  await add()
  await pick('hardshipType')
  await input('description').fill('再次申请')
  await submit()
  await expect(visible('.notice')).toContainText('已有待审核的申请')

  const [pending] = await mine('hardshipApplication')
  expect(pending).toMatchObject({ state: 'pending', channel: 'mobile' })
  expect(await mine('hardship')).toEqual([])
  await as('POST', `/records/hardshipApplication/${pending.id}/actions/approve`, { opinion: '情况属实' })
  await apply('困难党员')
  await expect(record().locator('.tag')).toHaveText('审核通过')
  await record().click()
  await expect(visible('.field-opinion')).toContainText('情况属实')
  await look('hardship')
  expect(await mine('hardship')).toHaveLength(1)

  await apply('退休')
  await empty()
  await add()
  await submit()
  await expect(wrong('retiredOn')).toHaveText('请选择退休时间')
  await pick('retiredOn')
  await submit()
  await expect(record().locator('.tag')).toHaveText('待审核')
  const [leaving] = await mine('retirementApplication')
  await as('POST', `/records/retirementApplication/${leaving.id}/actions/reject`, { opinion: '未到退休年龄' })
  await apply('退休')
  await expect(record().locator('.tag')).toHaveText('审核未通过')
  await look('retirements')
})

test('MENU-06 INFL-02 INFL-05 OUTF-03 党务→流动党员: applied for in and out, decided on in the console', async () => {
  const open = async (tab: string) => {
    await page.goto('/m/#/pages/apply/index')
    await visible('.entry').filter({ hasText: '流动党员' }).click()
    await visible('.tab').filter({ hasText: tab }).click()
    await expect(visible('.tab.on')).toHaveText(tab)
  }
  await open('党员流入')
  await empty()
  await add()
  await submit()
  await expect(wrong('inflowOrgId')).toContainText('流入党组织')
  await input('inflowOrgId').fill('没有这个组织')
  await expect(visible('.field-inflowOrgId')).toContainText('未找到组织')
  await input('inflowOrgId').fill('机关第一')
  await visible('.org-found').filter({ hasText: '机关第一党支部' }).click()
  await expect(visible('.org-chosen')).toContainText('机关第一党支部')
  await pick('inflowOn')
  await input('place').fill('建设路 8 号')
  await input('reason').fill('工作调动')
  await look('inflow-form')
  await submit()
  await expect(record('机关第一党支部').locator('.tag')).toHaveText('待审核')
  await look('inflows')
  // The receiving branch's side, which the top level sees.
  const received = async (type: string) => (await root('GET', `/records/${type}?f.memberId=${ids[who.name]}`)).items
  const [inflow] = await received('memberInflowApplication')
  expect(inflow).toMatchObject({ state: 'pending', name: who.name, place: '建设路 8 号' })
  await root('POST', `/records/memberInflowApplication/${inflow.id}/actions/approve`, {})
  expect(await received('memberInflow')).toHaveLength(1)
  expect(await mine('memberInflowApplication')).toEqual([]) // no business of his own branch's admin

  await open('党员流出')
  await empty()
  await add()
  await input('outflowPlace').fill('深圳市')
  await pick('outflowOn')
  await input('reason').fill('务工')
  await submit()
  await expect(record('深圳市').locator('.tag')).toHaveText('待审核')
  const [outflow] = await mine('memberOutflowApplication')
  await as('POST', `/records/memberOutflowApplication/${outflow.id}/actions/reject`, { opinion: '请补充联系方式' })
  await open('党员流出')
  await expect(record('深圳市').locator('.tag')).toHaveText('审核未通过')
  await as('POST', '/records/memberOutflow', { memberId: ids[who.name], outflowPlace: '广州市', outflowOn: '2026-02-01', reason: '照顾家人' })
  await open('党员流出')
  await expect(record('广州市').locator('.tag')).toHaveText('审核通过')
  await look('outflows')
})

test('SPEC-03 SPEC-04 我的特长 is kept by himself and shows in the console at once', async () => {
  const kept = async () => (await mine('specialty')).map((s: any) => s._labels.tags)
  await enter('我的特长')
  await empty()
  await add()
  await submit()
  await expect(wrong('tags')).toHaveText('请选择特长标签')
  const tag = (text: string) => visible('.field-tags .chip').filter({ hasText: text })
  await tag('摄影摄像').click()
  await tag('计算机').click()
  await input('description').fill('可以拍摄活动照片')
  await look('specialty-form')
  await submit()
  await expect(record('摄影摄像')).toContainText('计算机')
  await expect(visible('uni-button.add')).toHaveCount(0) // it is one record, to be changed
  await look('specialties')
  expect(await kept()).toEqual(['摄影摄像、计算机'])
  await record().click()
  await button('修改').click()
  await tag('计算机').click()
  await submit()
  await expect(visible('.field-tags')).not.toContainText('计算机')
  await look('specialty')
  expect(await kept()).toEqual(['摄影摄像'])
  await button('删除').click()
  await visible('.uni-modal__btn_primary').click()
  await empty()
  expect(await kept()).toEqual([])
})

test('SHOW-04 党员风采 is read with its picture; a deleted one is gone', async () => {
  const upload = (key: string) => {
    const form = new FormData()
    form.append('file', new Blob([picture.buffer], { type: picture.mimeType }), picture.name)
    return as('POST', `/records/memberShowcase/upload?field=${key}`, form)
  }
  const [cover, inside] = [await upload('cover'), await upload('content')]
  const showcase = await as('POST', '/records/memberShowcase', { cover: [cover], memberId: ids[other.name], title: '扎根社区二十年', content: `<p>他每天第一个到，最后一个走。</p><img src="/api/console/records/memberShowcase/files/${inside.id}">` })
  await page.goto('/m/#/pages/home/index')
  await look('home')
  await visible('.entry').filter({ hasText: '党员风采' }).click()
  await expect(record('扎根社区二十年')).toContainText(other.name)
  await shows(record('扎根社区二十年').locator('img'))
  await look('showcases')
  await record('扎根社区二十年').click()
  await expect(visible('.field-content')).toContainText('他每天第一个到')
  for (const key of ['cover', 'content']) await shows(visible(`.field-${key} img`))
  await look('showcase')
  await as('POST', '/records/memberShowcase/delete', { ids: [showcase.id] })
  await page.reload()
  await expect(page.getByText('内容不存在')).toBeVisible()
  await page.goto('/m/#/pages/home/index')
  await visible('.entry').filter({ hasText: '党员风采' }).click()
  await expect(record('扎根社区二十年')).toHaveCount(0)
})

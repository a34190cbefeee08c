// What every record type's page does alike, through the console.
import { readFileSync } from 'node:fs'
import { expect, test, type Page } from '@playwright/test'
import { admin } from '../member/test/sandbox.mjs'
import { act, choose, download, field, login, open, password, row, search } from './console'
import { inventedID, inventedPhone, stamp } from './invent'

const BASE = process.env.BASE_URL ?? 'http://127.0.0.1:8080'
const headers = { 'X-Requested-With': 'zhihuidangjian' }
let as: (method: string, path: string, body?: unknown) => Promise<any>
let page: Page

test.describe.configure({ mode: 'serial' })
test.beforeAll(async ({ browser }) => {
  as = await admin(BASE)
  page = await browser.newPage()
  await login(page)
})
test.afterAll(() => page?.close())

const dialog = () => page.locator('.el-dialog:visible')
const box = () => page.locator('.el-message-box:visible')
const goto = async (type: string) => {
  const listed = page.waitForResponse((r) => r.url().includes(`/api/console/records/${type}?`)) // else the page before still shows
  if (page.url().endsWith(`#/r/${type}`)) await page.reload()
  else await page.goto(`/console/#/r/${type}`)
  await listed
  await expect(page.locator('.body main .search')).toBeVisible()
}
const tag = (name: string) => as('POST', '/records/specialtyTag', { name })
const tags = async (name: string) => (await as('GET', `/records/specialtyTag?f.name=${encodeURIComponent(name)}`)).items ?? []
const find = async (name: string) => {
  await page.locator('.search').getByPlaceholder('请输入名称').fill(name)
  await page.getByRole('button', { name: '查询' }).click()
}

test('COMM-02 a form with an empty required field is not saved, marks each and keeps what was typed', async () => {
  const types: { type: string; menu: string }[] = await as('GET', '/records')
  let forms = 0
  const own = ['organization', 'member', 'binding', 'duesOrder', 'duesBase', 'meeting', 'points', 'pointsRule'] // pages with tests of their own
  for (const { type } of types.filter((t) => t.menu && !own.includes(t.type))) {
    const schema = await as('GET', `/records/${type}/schema`)
    const asked = schema.fields.filter((f: any) => f.form && f.required === true && !f.showIf && !f.readonly && f.type !== 'bool' && f.ref !== 'organization')
    if (!schema.permissions.create || !asked.length) continue
    await goto(type)
    const add = page.locator('.body main').getByRole('button', { name: '添加', exact: true })
    if (!(await add.isVisible())) continue
    forms++
    const before = (await as('GET', `/records/${type}`)).total
    await add.click()
    // Blanks are nothing; what stands in an optional field stays there.
    const blank = asked.find((f: any) => f.type === 'string')
    const kept = schema.fields.find((f: any) => f.form && f.type === 'string' && !f.required && !f.showIf && !f.readonly)
    if (blank) await field(dialog(), blank.key).locator('input').fill('   ')
    if (kept) await field(dialog(), kept.key).locator('input').fill('已填写')
    await dialog().getByRole('button', { name: '确定' }).click()
    for (const f of asked) await expect(field(dialog(), f.key), `${type}.${f.key}`).toContainText(`请填写${f.label}`)
    if (kept) await expect(field(dialog(), kept.key).locator('input')).toHaveValue('已填写')
    await dialog().getByRole('button', { name: '取消' }).click()
    if (kept) await box().getByRole('button', { name: '确定离开' }).click()
    await expect(dialog()).toBeHidden()

    const sent = await page.request.post(`/api/console/records/${type}`, { headers, data: blank ? { [blank.key]: '   ' } : {} })
    expect(sent.status(), type).toBe(400)
    const { fields } = await sent.json()
    for (const f of asked) expect(fields[f.key], `${type}.${f.key}`).toContain(f.label)
    expect((await as('GET', `/records/${type}`)).total, type).toBe(before)
  }
  expect(forms).toBeGreaterThan(8)
})

test('COMM-03 a deletion asks first; 取消 and closing leave the record, a double click deletes it once', async () => {
  const name = `删除${stamp}`
  await tag(name)
  await goto('specialtyTag')
  await find(name)
  for (const leave of [() => box().getByRole('button', { name: '取消' }).click(), () => page.keyboard.press('Escape')]) {
    await act(row(page, name), '删除')
    await expect(box()).toContainText('确定删除')
    await leave()
    await expect(box()).toHaveCount(0)
    expect(await tags(name)).toHaveLength(1)
  }
  let sent = 0
  page.on('request', (r) => { if (r.url().endsWith('/specialtyTag/delete')) sent++ })
  await act(row(page, name), '删除')
  await box().getByRole('button', { name: '确定' }).dblclick()
  await expect(row(page, name)).toHaveCount(0)
  expect(sent).toBe(1)
  expect(await tags(name)).toHaveLength(0)
})

test('COMM-04 one protected row keeps the whole batch, and is named with the reason', async () => {
  const names = [`甲${stamp}`, `乙${stamp}`]
  for (const name of names) await tag(name)
  await goto('specialtyTag')
  await expect(row(page, names[0])).toBeVisible()
  const tick = (name: string) => row(page, name).locator('.el-checkbox').click()
  for (const name of [...names, '书法绘画']) await tick(name) // the last one is there by default
  const remove = async () => {
    await page.locator('.bar').getByRole('button', { name: '删除', exact: true }).click()
    await box().getByRole('button', { name: '确定' }).click()
  }
  await remove()
  await expect(page.locator('.el-message--error')).toContainText('书法绘画')
  await expect(page.locator('.el-message--error')).toContainText('默认')
  for (const name of names) expect(await tags(name)).toHaveLength(1)
  await tick('书法绘画')
  await remove()
  await expect(row(page, names[0])).toHaveCount(0)
  for (const name of names) expect(await tags(name)).toHaveLength(0)
  await expect(row(page, '书法绘画')).toHaveCount(1)
})

test('COMM-07 without the permission there is no button and a direct request is refused; granted, both work', async ({ browser }) => {
  const [{ id: orgId }] = (await as('GET', '/tree')).nodes
  const name = `权限${stamp}`
  const { id } = await tag(name)
  const user = { userName: `limited${stamp}`, password, realName: '权限有限', orgId, status: 'enabled', permissions: ['specialtyTag.view', 'specialtyTag.create', 'specialtyTag.update'] }
  const account = await as('POST', '/records/user', user)
  const other = await browser.newPage()
  const look = async () => {
    await login(other, user.userName)
    await open(other, '特长标签')
    await other.locator('.search').getByPlaceholder('请输入名称').fill(name)
    await other.getByRole('button', { name: '查询' }).click()
    await expect(row(other, name).getByRole('button', { name: '修改' })).toBeVisible()
  }
  await look()
  await expect(other.getByRole('button', { name: '删除' })).toHaveCount(0)
  const refused = await other.request.post('/api/console/records/specialtyTag/delete', { headers, data: { ids: [id] } })
  expect(refused.status()).toBe(403)
  expect((await refused.json()).message).toBe('无操作权限')
  expect(await tags(name)).toHaveLength(1)

  const { permissions, ...rest } = user
  await as('PUT', `/records/user/${account.id}`, { ...rest, password: undefined, version: account.version, permissions: [...permissions, 'specialtyTag.delete'] })
  await other.context().clearCookies()
  await look()
  await act(row(other, name), '删除')
  await other.locator('.el-message-box').getByRole('button', { name: '确定' }).click()
  await expect(row(other, name)).toHaveCount(0)
  expect(await tags(name)).toHaveLength(0)
  await other.close()
})

test('COMM-09 files of the allowed kinds and sizes are kept, shown and downloaded; others are refused with the list', async () => {
  const [{ id: root }] = (await as('GET', '/tree')).nodes
  const branch = await as('POST', '/records/organization', { orgName: `附件支部${stamp.slice(-4)}` /* the journey of dues counts the organisations with the whole stamp */, orgType: 'branch', parentId: root, secretary: '李书记', contactName: '王联络', contactPhone: inventedPhone() })
  const member = await as('POST', '/records/member', { name: `附件${stamp.slice(-4)}`, idNumber: inventedID(), phone: inventedPhone(), orgId: branch.id, memberType: 'fullMember', joinedOn: '2008-07-01', regularizedOn: '2009-07-01' })
  const reward = await as('POST', '/records/reward', { memberId: member.id, rewardName: `附件奖励${stamp}`, rewardedOn: '2026-01-01', content: '附件' })
  const kept = async () => (await as('GET', `/records/reward/${reward.id}`)).files ?? []
  await goto('reward')
  await act(row(page, reward.rewardName), '修改')
  const files = field(dialog(), 'files')
  const pick = (name: string, mimeType: string, buffer: Buffer) => files.locator('input[type=file]').setInputFiles({ name, mimeType, buffer })
  const picture = readFileSync('../portal/console.png')

  // Another kind, one too large, one that is not what its name says.
  await pick('程序.exe', 'application/octet-stream', Buffer.from('MZ'))
  await expect(files.getByRole('alert')).toContainText('不支持的文件格式')
  for (const ext of ['jpg', 'docx', 'pdf', 'mp4']) await expect(files.getByRole('alert')).toContainText(ext)
  await pick('很大.png', 'image/png', Buffer.concat([picture, Buffer.alloc(11 << 20)]))
  await expect(files.getByRole('alert')).toContainText('不能超过10MB')
  await pick('假的.pdf', 'application/pdf', Buffer.from('<script>alert(1)</script>'))
  await expect(files.getByRole('alert')).toContainText('假的.pdf')
  await expect(files.locator('.files li')).toHaveCount(0)
  expect(await kept()).toEqual([])

  await pick('照片.png', 'image/png', picture)
  await expect(files.locator('.files li')).toHaveCount(1)
  await dialog().getByRole('button', { name: '确定' }).click()
  await expect(dialog()).toBeHidden()
  expect((await kept()).map((f: any) => f.name)).toEqual(['照片.png'])

  // Whoever may view the record sees the picture and saves the file as it was.
  await act(row(page, reward.rewardName), '查看')
  const image = dialog().locator('.files img')
  await expect.poll(() => image.evaluate((i: HTMLImageElement) => i.naturalWidth)).toBeGreaterThan(100)
  await image.click()
  await expect(page.locator('.el-image-viewer__img')).toBeVisible()
  await page.keyboard.press('Escape')
  const saved = await download(page, () => dialog().getByText('下载', { exact: true }).click())
  expect(saved.name).toBe('照片.png')
  expect(saved.data.equals(picture)).toBe(true)
})

test('a form names the roles and units that it offers', async () => {
  const [{ id: orgId }] = (await as('GET', '/tree')).nodes
  const role = await as('POST', '/records/role', { roleName: `角色${stamp}` })
  const unit = await as('POST', '/records/unit', { unitName: `单位${stamp}`, orgId, unitNature: 'stateOwned', orgForm: 'none' })
  for (const [type, key, name] of [['user', 'roleIds', role.roleName], ['member', 'unitId', unit.unitName]]) {
    if (type === 'member') await page.goto('/console/#/member')
    else await goto(type)
    await page.locator('.body main').getByRole('button', { name: '添加', exact: true }).click()
    await field(dialog(), key).locator('.el-select__wrapper').click()
    await field(dialog(), key).locator('input').fill(name)
    await expect(page.locator('.el-select-dropdown__item:visible', { hasText: name })).toHaveCount(1)
    await page.keyboard.press('Escape')
    await dialog().getByRole('button', { name: '取消' }).click()
    await expect(dialog()).toBeHidden()
  }
})

test('操作日志 finds a change by who, when, kind and record, says what was and what is, and its chain verifies', async () => {
  const [was, is] = [`原${stamp}`, `现${stamp}`]
  const { id, version } = await tag(was)
  await as('PUT', `/records/specialtyTag/${id}`, { version, name: is })
  const told = async () => (await as('GET', `/records/audit?f.recordId=${id}&f.action=update`)).items ?? []
  await expect.poll(async () => (await told()).length).toBe(1)
  const [{ at, userName }] = await told()
  await goto('audit')
  const asked = page.locator('.search')
  const day = new Date(at).toLocaleDateString('sv-SE', { timeZone: 'Asia/Shanghai' })
  for (const end of ['开始', '结束']) {
    await asked.getByPlaceholder(end).fill(day)
    await page.keyboard.press('Enter')
  }
  await asked.getByPlaceholder('请输入操作人').fill(userName)
  await asked.getByPlaceholder('请输入对象类型').fill('特长标签')
  await choose(asked.locator('.el-form-item', { hasText: '操作类别' }), '修改')
  await search(page, '对象编号', id)
  await expect(page.locator('.el-table__body tr')).toHaveCount(1)
  await expect(row(page, is)).toContainText(`名称：${was} → ${is}`)
  await expect(row(page, is)).toContainText(day)
  await act(row(page, is), '查看')
  await expect(dialog()).toContainText(`名称：${was} → ${is}`)
  // To all that was done to it: the creation too.
  await dialog().getByRole('link', { name: '该对象的全部日志' }).click()
  await expect(page.locator('.el-table__body tr')).toHaveCount(2)
  await page.getByRole('button', { name: '校验', exact: true }).click()
  await expect(page.getByRole('status').filter({ hasText: '校验通过' })).toContainText(/共 \d+ 条日志/)
})

test('INFL-01 APRV-04 党员流动 has a tab for what flows in and one for what flows out, each with its history', async () => {
  const main = page.locator('.body main')
  const tab = (name: string) => main.getByRole('tab', { name })
  for (const [title, types] of [['党员流动', ['memberInflow', 'memberOutflow']], ['党员流动', ['memberInflowApplication', 'memberOutflowApplication']]] as const) {
    const applied = types[0].endsWith('Application')
    await page.getByRole('tab', { name: '功能' }).click()
    const listed = page.waitForResponse((r) => r.url().includes(`/records/${types[0]}?`))
    const entries = page.getByRole('menuitem', { name: title, exact: true })
    await (applied ? entries.last() : entries.first()).click()
    await listed
    await expect(main.getByRole('heading', { name: '党员流入' })).toBeVisible()
    await expect(main.getByRole('button', { name: '添加', exact: true })).toHaveCount(applied ? 0 : 1)
    await tab('党员流出').click()
    await expect(main.getByRole('heading', { name: '党员流出' })).toBeVisible()
    const place = applied ? '北京市' : '广东省深圳市'
    await expect(row(page, place)).toContainText(/20\d\d-\d\d-\d\d/)
    await expect(row(page, applied ? '广东省深圳市' : '北京市')).toHaveCount(0)
  }
  const [one] = (await as('GET', `/records/memberOutflow?keyword=${encodeURIComponent('广东省深圳市')}`)).items
  await as('PUT', `/records/memberOutflow/${one.id}`, { version: one.version, outflowOrgName: '某街道党工委' })
  await expect.poll(async () => (await as('GET', `/records/audit?f.recordId=${one.id}`)).total).toBeGreaterThan(0)
  await page.goto('/console/#/tabs/memberInflow')
  await tab('党员流出').click()
  await act(row(page, '广东省深圳市'), '查看')
  await dialog().getByRole('link', { name: '查看修改记录' }).click()
  await expect(row(page, '某街道党工委')).toContainText('系统管理员')
})

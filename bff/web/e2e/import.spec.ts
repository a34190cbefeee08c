// What an import shows before it stores anything.
import { expect, test, type Page } from '@playwright/test'
import { admin } from '../member/test/sandbox.mjs'
import { counts, login, understood } from './console'
import { inventedID, inventedPhone, stamp } from './invent'
import { Workbook } from './xlsx'

const BASE = process.env.BASE_URL ?? 'http://127.0.0.1:8080'
const branch = `预览支部${stamp.slice(-6)}` // others look for all of it
let as: (method: string, path: string, body?: unknown) => Promise<any>
let page: Page
let template: Buffer

test.describe.configure({ mode: 'serial' })
test.beforeAll(async ({ browser }) => {
  as = await admin(BASE)
  const { nodes } = await as('GET', '/tree')
  await as('POST', '/records/organization', { orgName: branch, orgType: 'branch', parentId: nodes[0].id, secretary: '李书记', contactName: '王联络', contactPhone: inventedPhone() })
  page = await browser.newPage()
  await login(page)
  template = await (await page.request.get('/api/console/records/member/template')).body()
})
test.afterAll(() => page?.close())

const people = async () => (await as('GET', `/records/member?keyword=${encodeURIComponent(stamp.slice(-5))}`)).total
const row = (name: string, change: Record<number, string> = {}) => {
  const r = [name + stamp.slice(-5), '', inventedID(), '', '', inventedPhone(), branch, '', '正式', '2010.7.1', '2011-07-01', '']
  for (const [i, v] of Object.entries(change)) r[Number(i)] = v
  return r
}
async function importing() {
  await page.goto('/console/#/r/member')
  await page.locator('.body main').getByRole('button', { name: '导入', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: '导入党员' })
  await expect(dialog).toBeVisible()
  return dialog
}

for (const [width, height] of [[1280, 800], [390, 844]] as const) {
  test(`PLUS-38 what will be stored is shown first; a word is mapped once, a cell mended, a row skipped; cancelled, nothing is stored (${width} px)`, async () => {
    await page.setViewportSize({ width, height })
    const before = await people()
    const rows = [row('苏　晴'), row('陆远', { 3: '汉人' }), row('陈默', { 3: '汉人' }), row('方圆', { 9: '2010-02-30' }), row('白帆', { 2: '12345' })]
    const book = new Workbook(template).fill('导入模板', rows).save()

    let dialog = await importing()
    expect(await understood(dialog, '党员.xlsx', book)).toEqual([1, 4])
    expect(await people()).toBe(before)
    // All of it fits, or scrolls inside its own frame.
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
    const sure = dialog.getByRole('button', { name: '确定导入' })
    await expect(sure).toBeInViewport()

    const groups = dialog.getByRole('list', { name: '有问题的内容' })
    await expect(groups.getByRole('listitem').first()).toContainText('2行')
    await expect(groups).toContainText('民族“汉人”不在可选范围内')
    await groups.locator('.el-select').first().click()
    await page.locator('.el-select-dropdown__item:visible', { hasText: /^汉族$/ }).click()
    await expect(dialog.getByText('可导入3条，有问题2条')).toBeVisible()

    // As the values will be stored.
    await dialog.getByText('全部行', { exact: true }).click()
    await expect(dialog.getByRole('button', { name: '修改第2行姓名' })).toHaveText(`苏晴${stamp.slice(-5)}`)
    await expect(dialog.getByRole('button', { name: '修改第2行入党日期' })).toHaveText('2010-07-01')
    await expect(dialog.getByRole('button', { name: '修改第2行党员类型' })).toHaveText('正式党员')
    await expect(dialog.getByRole('button', { name: '修改第3行民族' })).toHaveText('汉族')

    await dialog.getByText('有问题的行', { exact: true }).click()
    const wrong = dialog.getByRole('button', { name: '修改第5行入党日期' })
    await expect(wrong).toContainText('没有2010-02-30这一天')
    await wrong.click()
    await dialog.getByLabel('第5行入党日期', { exact: true }).fill('2010年2月28日')
    await dialog.getByLabel('第5行入党日期', { exact: true }).press('Enter')
    await expect(dialog.getByText('可导入4条，有问题1条')).toBeVisible()
    await dialog.getByRole('button', { name: '跳过第6行' }).click()
    expect(await counts(dialog)).toEqual([4, 0])
    expect(await people()).toBe(before)

    await expect(sure).toHaveText('确定导入（4条）')
    await sure.click()
    await expect(dialog.getByText('导入完成：成功4条、失败0条')).toBeVisible()
    await expect.poll(people).toBe(before + 4)
    await dialog.getByRole('button', { name: '关闭' }).last().click()

    dialog = await importing()
    expect(await understood(dialog, '党员.xlsx', new Workbook(template).fill('导入模板', [row('何晨')]).save())).toEqual([1, 0])
    const cancelled = page.waitForResponse((r) => r.url().endsWith('/cancel'))
    await dialog.getByRole('button', { name: '取消' }).click()
    expect((await (await cancelled).json()).state).toBe('cancelled')
    await expect(dialog).toBeHidden()
    await expect.poll(people).toBe(before + 4)
  })
}

// Journey 1, dues, through the console and the sandbox phone beside each other: what one
// test leaves is what the next begins with.
import { expect, test, type Locator, type Page } from '@playwright/test'
import { admin, sandbox } from '../member/test/sandbox.mjs'
import { act, choose, confirm, download, field, login, open, row, search, upload } from './console'
import { inChina, inventedID, inventedPhone, month, stamp } from './invent'
import { Phone, type Person } from './phone'
import { Workbook } from './xlsx'

const BASE = process.env.BASE_URL ?? 'http://127.0.0.1:8080'
const committee = `旗山街道党委${stamp}`
const branch = `旗山社区党支部${stamp}`
const jointBranch = `旗山联合党支部${stamp}`
const person = (name: string): Person => ({ name: name + stamp.slice(-4), idNumber: inventedID(), phone: inventedPhone() })
const payer = person('林向阳') // pays on his phone
const atTheDesk = person('高致远') // pays at the cashier
const late = person('马春晖') // lets his order expire

let page: Page
let phone: Phone
let as: (method: string, path: string, body?: unknown) => Promise<any>
let now: string // yyyy-MM-dd of the product
const before = (months: number) => month(now.slice(0, 7), -months)

test.describe.configure({ mode: 'serial' })
test.beforeAll(async ({ browser }) => {
  now = inChina(Date.parse((await sandbox(BASE, 'GET', 'clock')).now)).slice(0, 10)
  as = await admin(BASE)
  page = await (await browser.newContext()).newPage()
  phone = await Phone.of(await browser.newContext())
  await login(page)
})
test.afterAll(async () => {
  await page.context().close()
  await phone.page.context().close()
})

/** Opens the import dialog of the page that shows. */
async function importing(title: string): Promise<Locator> {
  await page.locator('.body main').getByRole('button', { name: '导入', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: `导入${title}` })
  await expect(dialog).toBeVisible()
  return dialog
}

/** The template that the dialog gives. */
async function template(dialog: Locator, name: string): Promise<Workbook> {
  const file = await download(page, () => dialog.getByRole('button', { name: '下载导入模板' }).click())
  expect(file.name).toBe(name)
  const book = new Workbook(file.data)
  expect(book.sheets.slice(0, 2).sort()).toEqual(['导入模板', '说明文档'])
  return book
}

/** What the dialog lists as failed: row number → reason. */
async function failures(dialog: Locator): Promise<Map<number, string>> {
  const rows = await dialog.locator('.el-table__body tr').all()
  return new Map(await Promise.all(rows.map(async (r) => {
    const cells = await r.locator('td').allInnerTexts()
    return [Number(cells[0]), cells[1].trim()] as const
  })))
}

/** The failure file, with the rows made right; importing it twice adds them once. */
async function correct(dialog: Locator, count: number, mend: (rows: string[][]) => string[][]) {
  const file = await download(page, () => dialog.getByRole('button', { name: '下载失败文件' }).click())
  const book = new Workbook(file.data)
  const [head, ...rows] = book.rows('导入模板')
  expect(head.at(-1)).toBe('失败原因')
  expect(rows).toHaveLength(count)
  for (const r of rows) expect(r[head.length - 1]).not.toBe('')
  const mended = book.fill('导入模板', mend(rows.map((r) => Array.from({ ...r, length: head.length }, (v) => v ?? '')))).save()
  await dialog.getByRole('button', { name: '继续导入' }).click()
  expect(await upload(dialog, '修改后.xlsx', mended)).toBe(`成功${count}条、失败0条`)
  await dialog.getByRole('button', { name: '继续导入' }).click()
  expect(await upload(dialog, '再次导入.xlsx', mended)).toBe(`成功0条、失败${count}条`)
  await dialog.getByRole('button', { name: '关闭' }).last().click()
}

test('ORG-15 ORG-16 ORG-17 organisations come from the filled template; bad rows are mended and imported again', async () => {
  await open(page, '党组织管理')
  const dialog = await importing('党组织')
  const book = await template(dialog, '党组织导入模板.xlsx')
  const head = ['组织名称', '组织性质', '上级组织', '负责人', '负责人电话', '联系人', '联系电话', '地址']
  expect(book.rows('导入模板')).toEqual([head])
  expect(book.rows('说明文档').slice(1).map((r) => r[0])).toEqual(head)
  expect(book.dropDowns('导入模板')).toEqual(['B', 'C'])
  const root = (await page.locator('header strong').innerText()).trim()
  const org = (name: string, type: string, parent: string) => [name, type, parent, '李书记', inventedPhone(), '王联络', inventedPhone(), '旗山路1号']

  // What is no workbook is refused as a whole.
  await dialog.locator('input[type=file]').setInputFiles({ name: '不是表格.xlsx', mimeType: 'text/plain', buffer: Buffer.from('hello') })
  await dialog.getByRole('button', { name: '确定' }).click()
  await expect(dialog.locator('.el-alert--error')).toBeVisible()
  await dialog.getByRole('button', { name: '关闭' }).last().click()
  await importing('党组织')

  // A row may be the parent of the next.
  const result = await upload(dialog, '组织.xlsx', book.fill('导入模板', [
    org(committee, '委员会', root),
    org(branch, '党支部', committee),
    org(`${jointBranch}一`, '联合支部', '没有这个组织'),
    org(`${jointBranch}二`, '居委会', committee),
    org(branch, '党支部', committee),
    org(jointBranch, '联合支部', committee).with(3, ''),
  ]).save())
  expect(result).toBe('成功2条、失败4条')
  const failed = await failures(dialog)
  expect([...failed.keys()]).toEqual([4, 5, 6, 7])
  expect(failed.get(4)).toContain('上级组织')
  expect(failed.get(5)).toContain('组织性质')
  expect(failed.get(6)).toContain('同名')
  expect(failed.get(7)).toContain('负责人')

  await correct(dialog, 4, (rows) => rows.map((r, i) => [`${jointBranch}${['一', '二', '三', ''][i]}`, '联合支部', committee, '李书记', ...r.slice(4)]))
  await search(page, '组织名称', stamp)
  await expect(page.locator('.el-pagination__total')).toHaveText('共 6 条')
  await expect(row(page, branch)).toContainText(committee)

  // The tree has them at once, and scopes what is listed.
  await page.getByRole('tab', { name: '组织' }).click()
  await page.getByPlaceholder('查找组织').fill(committee)
  await page.locator('.node', { hasText: committee }).click()
  await expect(page.locator('header strong')).toHaveText(committee)
  await page.getByRole('button', { name: '重置' }).click()
  await expect(page.locator('.el-pagination__total')).toHaveText('共 6 条')
})

test('MEMB-16 MEMB-18 members come from the filled template; bad rows are mended and imported again', async () => {
  await open(page, '党员管理')
  const dialog = await importing('党员')
  const book = await template(dialog, '党员导入模板.xlsx')
  const head = ['姓名', '性别', '身份证号', '民族', '学历', '手机号', '所在支部', '所在单位', '党员类型', '入党日期', '转正日期', '党费缴纳至日期']
  expect(book.rows('导入模板')).toEqual([head])
  expect(book.rows('说明文档').slice(1).map((r) => r[0])).toEqual(head)
  expect(book.dropDowns('导入模板')).toEqual(['B', 'D', 'E', 'G', 'I'])
  const line = (p: Person) => [p.name, '', p.idNumber, '汉族', '本科', p.phone, branch, '旗山街道', '正式党员', '2008-07-01', '2009-07-01', before(3)]
  const broken = (id: string) => id.slice(0, 17) + (id.endsWith('1') ? '2' : '1')
  const more = ['甲', '乙', '丙', '丁', '戊'].map((n) => person(`失败${n}`))

  const result = await upload(dialog, '党员.xlsx', book.fill('导入模板', [
    line(payer), line(atTheDesk), line(late),
    line(more[0]).with(2, broken(more[0].idNumber)),
    line(more[1]).with(6, '没有这个支部'),
    line(more[2]).with(2, payer.idNumber),
    line(more[3]).with(0, ''),
    line(more[4]).with(7, '=1+1'),
  ]).save())
  expect(result).toBe('成功3条、失败5条')
  const failed = await failures(dialog)
  expect([...failed.keys()]).toEqual([5, 6, 7, 8, 9])
  for (const [at, reason] of [[5, '身份证号'], [6, '所在支部'], [7, '身份证号'], [8, '姓名'], [9, '公式']] as const) expect(failed.get(at)).toContain(reason)

  await correct(dialog, 5, (rows) => rows.map((r, i) => [...line(more[i]), ...r.slice(12)]))
  await expect(page.locator('.el-pagination__total')).toHaveText('共 8 条')
  await expect(row(page, payer.name)).toContainText(before(3))
  await expect(row(page, payer.name)).not.toContainText(payer.idNumber)
})

// Journey 1, dues, through the console and the sandbox phone beside each other: what one
// test leaves is what the next begins with.
import { expect, test, type Locator, type Page } from '@playwright/test'
import { admin, clock, sandbox } from '../member/test/sandbox.mjs'
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
  now = inChina(await clock(BASE)).slice(0, 10)
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
  expect(book.dropDowns('导入模板')).toEqual(expect.arrayContaining(['B', 'D', 'E', 'G', 'I']))
  const line = (p: Person) => [p.name, '', p.idNumber, '汉族', '本科', p.phone, branch, '', '正式党员', '2008-07-01', '2009-07-01', before(3)]
  const broken = (id: string) => id.slice(0, 17) + (id.endsWith('1') ? '2' : '1')
  const more = ['甲', '乙', '丙', '丁', '戊'].map((n) => person(`失败${n}`))

  const result = await upload(dialog, '党员.xlsx', book.fill('导入模板', [
    line(payer), line(atTheDesk), line(late),
    line(more[0]).with(2, broken(more[0].idNumber)),
    line(more[1]).with(6, '没有这个支部'),
    line(more[2]).with(2, payer.idNumber),
    line(more[3]).with(0, ''),
    line(more[4]).with(3, '=1+1'),
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

test('BASE-02 BASE-03 BASE-09 a base shows its rate and dues before it is saved; a file sets many', async () => {
  await open(page, '基数管理')
  await page.getByRole('button', { name: '添加', exact: true }).click()
  let dialog = page.getByRole('dialog', { name: '新增党费基数' })
  await dialog.getByRole('button', { name: '确定' }).click()
  for (const label of ['党员', '使用年月', '应缴基数']) await expect(dialog.getByText(`请填写${label}`)).toBeVisible()

  await choose(field(dialog, 'memberId'), payer.name, payer.name)
  const effective = field(dialog, 'effectiveMonth').locator('input')
  await effective.fill(before(2))
  await effective.press('Enter')
  const amount = field(dialog, 'baseAmount').locator('input')
  const computed = [field(dialog, 'rate').locator('input'), field(dialog, 'payableAmount').locator('input')]
  for (const [typed, rate, due] of [['5000', '1%', '50.00'], ['5000.01', '1.5%', '75.00'], ['3000', '0.5%', '15.00'], ['12000', '2%', '240.00']]) {
    await amount.fill(typed)
    await amount.blur()
    await expect(computed[0]).toHaveValue(rate)
    await expect(computed[1]).toHaveValue(due)
  }
  for (const wrong of ['八千', '1.234', '-5']) {
    await amount.fill(wrong)
    await amount.blur()
    await expect(dialog.getByText('请输入正确的金额')).toBeVisible()
    for (const c of computed) await expect(c).toHaveValue('')
    await dialog.getByRole('button', { name: '确定' }).click()
    await expect(dialog.getByText('请输入正确的金额')).toBeVisible()
  }
  await amount.fill('8000')
  await dialog.getByRole('button', { name: '确定' }).click()
  await expect(dialog).toBeHidden()
  for (const text of [before(2), '******', '1.5%', '120.00']) await expect(row(page, payer.name)).toContainText(text)

  dialog = await importing('党费基数')
  const book = await template(dialog, '党费基数导入模板.xlsx')
  expect(book.rows('导入模板')).toEqual([['姓名', '身份证号', '使用年月', '应缴基数']])
  const rows = [[atTheDesk.name, atTheDesk.idNumber, before(2), '8000'], [late.name, late.idNumber, before(2), '-1'], [late.name, inventedID(), before(2), '8000']]
  expect(await upload(dialog, '基数.xlsx', book.fill('导入模板', rows).save())).toBe('成功1条、失败2条')
  expect([...(await failures(dialog)).keys()]).toEqual([3, 4])
  await dialog.getByRole('button', { name: '继续导入' }).click()
  const again = [rows[0], [late.name, late.idNumber, before(2), '8000']] // the one that is there is updated
  expect(await upload(dialog, '基数2.xlsx', book.fill('导入模板', again).save())).toBe('成功2条、失败0条')
  await dialog.getByRole('button', { name: '关闭' }).last().click()
  await expect(page.locator('.el-pagination__total')).toHaveText('共 3 条')
})

test('BIND-01 a member binds by name, ID number and SMS code on the official-account page', async () => {
  await phone.newUser(payer.name, payer.phone)
  await expect(phone.screen.getByText('首次使用请绑定党员身份')).toBeVisible()
  await phone.fill({ ...payer, name: atTheDesk.name })
  await phone.button('获取验证码').click()
  await expect(phone.screen.getByText('未找到党员信息')).toBeVisible()
  const nextCode = () => sandbox(BASE, 'POST', 'clock', { advance: '61s' }) // one a minute
  await nextCode()
  await phone.fill(payer)
  await phone.button('获取验证码').click()
  await expect(phone.inbox('bindCode')).toHaveCount(1)
  const code = /\d{6}/.exec(await phone.inbox('bindCode').first().locator('p').innerText())![0]
  const typed = async (text: string) => {
    await phone.screen.locator('.field-code input').fill(text)
    const answered = phone.page.waitForResponse((r) => r.url().endsWith('/api/member/bind'))
    await phone.screen.locator('uni-button.submit').click()
    expect((await answered).status()).toBe(400)
    await expect(phone.screen.getByText('验证码错误或已失效')).toBeVisible()
  }
  for (let n = 1; n <= 5; n++) await typed(code === '000000' ? '111111' : '000000')
  await typed(code) // five wrong ones end it
  await nextCode()
  await phone.home() // whose count-down is real time
  await phone.bind(payer)
  await expect(phone.screen.locator('.branch')).toHaveText(branch)

  // Somebody else's WeChat cannot take the same person.
  await nextCode()
  await phone.newUser('别人', inventedPhone())
  await phone.fill(payer)
  await phone.button('获取验证码').click()
  await expect(phone.screen.locator('.notice')).toContainText('绑定')
  await phone.hand(payer.phone)
  await expect(phone.screen.locator('.branch')).toHaveText(branch)

  await open(page, '绑定党员')
  await expect(page.getByText('已绑定 1', { exact: true })).toBeVisible()
  await expect(page.getByText('未注册绑定 7', { exact: true })).toBeVisible()
  await expect(row(page, payer.name)).toContainText(branch)
  await page.getByText('未注册绑定 7', { exact: true }).click()
  await expect(page.locator('.el-pagination__total')).toHaveText('共 7 条')
  await expect(row(page, payer.name)).toHaveCount(0)
})

test('DUES-10 a member sees what he owes and pays one month, then several, on his phone', async () => {
  await phone.entry('党费缴纳').click()
  const { screen } = phone
  await expect(screen.getByText('党费缴纳至')).toBeVisible()
  const months = screen.locator('.month')
  await expect(months).toHaveCount(3)
  await expect(screen.locator('.through').nth(1)).toHaveText('¥360.00')

  const pay = async (amount: string, through: string) => {
    await expect(screen.locator('.sum')).toHaveText(`¥${amount}`)
    await phone.button('微信支付').click()
    await screen.locator('#sandbox-pay-confirm').click()
    await expect(screen.getByText('支付成功')).toBeVisible({ timeout: 20_000 })
    await expect(screen.locator('.outcome-amount')).toHaveText(`¥${amount}`)
    await expect(screen.locator('.cell', { hasText: '缴纳至' })).toContainText(through.replace(/-0?/, '年') + '月')
    await phone.button('返回').click()
  }
  await months.nth(2).click()
  await months.nth(1).click()
  await expect(screen.getByText('已选 1 个月')).toBeVisible()
  await pay('120.00', before(2))

  // The rest, and one month ahead.
  await expect(months).toHaveCount(2)
  await phone.button('预缴后续月份').click()
  await months.nth(2).click()
  await expect(screen.getByText('已选 3 个月')).toBeVisible()
  await pay('360.00', month(before(0), 1))
  await expect(screen.getByText('党费已缴清')).toBeVisible()
  await expect(screen.locator('.order', { hasText: '已支付' })).toHaveCount(2)

  // He is told, and has points.
  const receipts = phone.page.locator('#sandbox-inbox [data-channel="template"][data-kind="duesReceipt"]')
  await expect(receipts).toHaveCount(2)
  await expect(receipts.first()).toContainText('360.00') // newest first, as they were paid
  await phone.home()
  await phone.tab('我的').click()
  await expect(screen.locator('.score-number').first()).not.toHaveText('0')
})

/** 党费管理: enters months of a member, until the one given. */
async function enter(who: Person, until: string, amount: string) {
  await open(page, '党费管理')
  await page.getByRole('button', { name: '新增录入' }).click()
  const dialog = page.getByRole('dialog', { name: '新增党员党费录入' })
  await choose(dialog.locator('.el-form-item', { hasText: '党员' }).first(), who.name, who.name)
  await expect(dialog.getByText('党费缴纳至')).toBeVisible()
  await choose(dialog.locator('.el-form-item', { hasText: '缴纳截止月份' }), until)
  await expect(dialog.locator('.money')).toHaveText(`${amount} 元`)
  await dialog.getByRole('button', { name: '确定' }).click()
  await expect(dialog).toBeHidden()
  const line = row(page, who.name).first()
  await expect(line).toContainText('未支付')
  return line
}

test('DUES-13 DUES-14 DUES-15 the cashier takes cash, and a code that a phone pays', async () => {
  // By a WeChat code.
  await act(await enter(atTheDesk, before(2), '120.00'), '支付')
  const cashier = page.locator('.cashier')
  await expect(cashier).toContainText(atTheDesk.name)
  await expect(cashier).toContainText('120.00 元')
  await expect(cashier).toContainText(atTheDesk.idNumber.slice(0, 3) + '***********' + atTheDesk.idNumber.slice(-4))
  await page.getByRole('button', { name: '返回' }).click()
  await expect(row(page, atTheDesk.name).first()).toContainText('未支付')
  await act(row(page, atTheDesk.name).first(), '支付')
  await page.getByRole('button', { name: '微信支付' }).click()
  const code = await page.getByAltText('微信支付二维码').getAttribute('data-code-url')
  expect(code).toMatch(/^weixin:\/\//)
  const trade = phone.page.locator('#sandbox-payments [data-trade]').first()
  await expect(trade).toHaveAttribute('data-state', 'NOTPAY')
  await trade.locator('[data-act="forged"]').click() // believed by nobody
  await expect(trade.locator('.log .bad')).toHaveCount(1)
  expect((await as('GET', `/dues/orders/${/dues\/([^/]+)\/cashier/.exec(page.url())![1]}`)).status).toBe('unpaid')
  await phone.scan(code!)
  await phone.page.locator('#sandbox-pay-confirm').click()
  await expect(cashier.getByText('支付成功')).toBeVisible({ timeout: 20_000 }) // without a reload
  await expect(trade).toHaveAttribute('data-state', 'SUCCESS')
  await trade.locator('[data-act="duplicate"]').click() // says nothing new

  // In cash.
  await act(await enter(atTheDesk, before(1), '120.00'), '支付')
  await page.getByRole('button', { name: '现金支付' }).click()
  await confirm(page, '取消')
  await expect(cashier.getByText('支付成功')).toHaveCount(0)
  await page.getByRole('button', { name: '现金支付' }).click()
  await confirm(page)
  await expect(cashier.getByText('支付成功')).toBeVisible()
  await page.goBack()
  await expect(row(page, atTheDesk.name).first()).toContainText('已支付')
  await expect(row(page, atTheDesk.name).first().getByRole('button', { name: '支付' })).toHaveCount(0)
})

test('DORD-01 DORD-03 DORD-04 DORD-06 DORD-09 支付明细 shows the day with its total, prints, and takes a cash order back', async () => {
  await open(page, '支付明细')
  const total = page.locator('[data-test="total"]')
  await expect(total).toContainText('720.00 元')
  await expect(page.locator('.el-pagination__total')).toHaveText('共 4 条')
  await expect(page.locator('.days input').first()).toHaveValue(now)
  await expect(page.locator('.el-table__header th .cell')).toContainText(['订单号', '姓名', '党组织', '起始月份', '截止月份', '支付金额', '支付方式', '缴纳途径', '支付时间', '经办人'])
  await expect(row(page, payer.name)).toHaveCount(2)
  await expect(row(page, payer.name).first()).toContainText('手机支付')

  // Filters narrow it.
  const shown = async (n: number) => {
    await page.getByRole('button', { name: '查询' }).click()
    await expect(page.locator('.el-table__body tr')).toHaveCount(n)
  }
  await choose(page.locator('.search .el-form-item', { hasText: '支付方式' }), '现金支付')
  await shown(1)
  await page.getByRole('button', { name: '重置' }).click()
  await page.locator('.search').getByPlaceholder('请输入姓名').fill(payer.name)
  await shown(2)
  await expect(total).toContainText('480.00 元')
  await page.locator('.search').getByPlaceholder('请输入姓名').fill('查无此人')
  await shown(0)
  await expect(page.getByText('暂无数据')).toBeVisible()
  await page.getByRole('button', { name: '重置' }).click()
  await expect(page.locator('.el-table__body tr')).toHaveCount(4)

  // A receipt for each, and no other: the browser shows the PDF.
  const [receipt] = await Promise.all([page.context().waitForEvent('page'), act(row(page, payer.name).first(), '打印')])
  await receipt.waitForURL(/\/receipt$/)
  const pdf = await page.request.get(receipt.url())
  await receipt.close()
  expect(pdf.headers()['content-type']).toBe('application/pdf')
  expect((await pdf.body()).toString('latin1', 0, 5)).toBe('%PDF-')

  // Money that came by WeChat is not taken back here, cash is, with a reason.
  await expect(row(page, '微信支付')).toHaveCount(3)
  await expect(row(page, '微信支付').getByRole('button', { name: '删除' })).toHaveCount(0)
  await act(row(page, '现金支付'), '删除')
  const why = page.getByRole('dialog', { name: /^删除/ })
  await why.getByRole('button', { name: '确定' }).click()
  await expect(why.getByText('请填写删除原因')).toBeVisible()
  await field(why, 'reason').locator('textarea').fill('录入错误')
  await why.getByRole('button', { name: '确定' }).click()
  await expect(total).toContainText('600.00 元')
  await expect(row(page, '现金支付')).toHaveCount(0)
  await page.getByRole('button', { name: '查看删除记录' }).click()
  for (const text of [atTheDesk.name, before(1), '录入错误', '系统管理员', now]) await expect(row(page, atTheDesk.name)).toContainText(text)
  await expect(row(page, atTheDesk.name).getByRole('button', { name: '删除' })).toHaveCount(0)
  await page.getByRole('button', { name: '返回支付明细' }).click()
  await expect(total).toContainText('600.00 元')
  await open(page, '党员管理')
  await expect(row(page, atTheDesk.name)).toContainText(before(2))
})

test('DUES-04 DUES-05 DORD-03 what is unpaid ends with its day, at WeChat first', async () => {
  await act(await enter(late, before(2), '120.00'), '支付')
  await page.getByRole('button', { name: '微信支付' }).click()
  const code = (await page.getByAltText('微信支付二维码').getAttribute('data-code-url'))!
  const id = /dues\/([^/]+)\/cashier/.exec(page.url())![1]
  await phone.page.locator('#sandbox-midnight').click()
  const trade = phone.page.locator('#sandbox-payments [data-trade]').first()
  await expect(trade).toHaveAttribute('data-state', 'CLOSED', { timeout: 20_000 })
  await phone.scan(code)
  await expect(phone.page.locator('#sandbox-toast')).toContainText('订单已关闭')

  // Half an idle hour later the admin's session has ended, too.
  const clock = phone.page.locator('#sandbox-clock')
  await phone.page.locator('[data-advance="1h"]').click()
  await expect(clock).toContainText(/ 0?1:/)
  await expect(async () => { // the edge asks again for a session after a moment
    await page.reload()
    await expect(page).toHaveURL(/#\/login$/, { timeout: 2000 })
  }).toPass({ timeout: 20_000 })
  await login(page)
  as = await admin(BASE)
  await expect(as('POST', `/dues/orders/${id}/cash`)).rejects.toThrow('订单已过期')
  await open(page, '党费管理')
  await search(page, '姓名', late.name)
  await expect(page.getByText('暂无数据')).toBeVisible()

  // It is another day, by the server's clock.
  await open(page, '支付明细')
  await expect(page.locator('.days input').first()).not.toHaveValue(now)
  await page.getByRole('tab', { name: '组织' }).click()
  await page.locator('.node', { hasText: committee }).click()
  await expect(page.locator('[data-test="total"]')).toContainText('0.00 元')
  await expect(page.getByText('暂无数据')).toBeVisible()
})

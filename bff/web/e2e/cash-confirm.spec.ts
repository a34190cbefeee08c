// CASH_CONFIRM: cash counts when somebody else confirms it. It is a setting of the whole
// product, so that this file runs one of its own.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, type Page } from '@playwright/test'
import { admin, unboundMember } from '../member/test/sandbox.mjs'
import { act, choose, confirm, login, open, password, row } from './console'

const at = new URL(process.env.BASE_URL ?? 'http://127.0.0.1:8080')
const BASE = `http://${at.hostname}:${Number(at.port) + 1}`
const second = { userName: 'second', password, realName: '复核员' }
const data = mkdtempSync(join(tmpdir(), 'cash-'))
let product: ChildProcess
let page: Page // the one who takes the money
let checker: Page

test.use({ baseURL: BASE })
test.describe.configure({ mode: 'serial' })
test.beforeAll(async ({ browser }) => {
  product = spawn('../../../bin/zhihuidangjian', { stdio: 'ignore', env: { ...process.env, ADDR: new URL(BASE).host, DATA: data, PUBLIC_URL: '', CASH_CONFIRM: 'true', ADMIN_PASSWORD: password } })
  await expect.poll(() => fetch(BASE + '/readyz').then((r) => r.status, () => 0)).toBe(200)
  const as = await admin(BASE)
  const { nodes } = await as('GET', '/tree')
  await as('POST', '/records/user', { ...second, orgId: nodes[0].id, status: 'enabled', permissions: ['duesOrder.view', 'duesOrder.confirm'] })
  const who = await unboundMember(as, { owing: true })
  page = await browser.newPage()
  checker = await browser.newPage()
  await login(page)
  await login(checker, second.userName, second.password)
  await open(page, '党费管理')
  await page.getByRole('button', { name: '新增录入' }).click()
  const dialog = page.getByRole('dialog', { name: '新增党员党费录入' })
  await choose(dialog.locator('.el-form-item', { hasText: '党员' }).first(), who.name, who.name)
  await expect(dialog.locator('.money')).toContainText(/\d/)
  await dialog.getByRole('button', { name: '确定' }).click()
  await expect(dialog).toBeHidden()
})
test.afterAll(() => {
  product?.kill()
  rmSync(data, { recursive: true, force: true })
})

const first = (p: Page) => p.locator('.el-table__body tr').first()
/** Opens the list as it is now. */
const list = async (p: Page) => {
  await open(p, '党费管理')
  await p.getByRole('button', { name: '查询' }).click()
}
const handIn = async () => {
  await list(page)
  await act(first(page), '支付')
  await page.getByRole('button', { name: '现金支付' }).click()
  await confirm(page)
  await expect(page.getByText('现金待确认')).toBeVisible()
  await expect(page.getByRole('button', { name: '现金支付' })).toHaveCount(0)
}

test('cash waits for somebody else, who may send it back with a reason', async () => {
  await handIn()
  await page.getByRole('button', { name: '返回' }).click()
  await expect(first(page)).toContainText('未支付')
  await expect(first(page)).toContainText('系统管理员') // who took it
  for (const button of ['确认现金', '支付']) await expect(first(page).getByRole('button', { name: button })).toHaveCount(0)

  await list(checker)
  await act(first(checker), '驳回')
  const why = checker.getByRole('dialog', { name: /^驳回/ })
  await why.getByRole('button', { name: '确定' }).click()
  await expect(why.getByText('请填写驳回原因')).toBeVisible()
  await why.locator('[data-field=reason] textarea').fill('少 10 元')
  await why.getByRole('button', { name: '确定' }).click()
  await expect(first(checker).getByRole('button', { name: '确认现金' })).toHaveCount(0)
  await expect(first(checker)).toContainText('未支付')
})

test('confirmed by somebody else it is paid, and 支付明细 names both', async () => {
  await handIn()
  await list(checker)
  await act(first(checker), '确认现金')
  await confirm(checker, '取消')
  await expect(first(checker)).toContainText('未支付')
  await act(first(checker), '确认现金')
  await confirm(checker)
  await expect(row(checker, '现金支付').first()).toContainText('已支付')
  await open(page, '支付明细')
  for (const text of ['系统管理员', second.realName]) await expect(first(page)).toContainText(text)
})

// What is typed is understood or refused, and not lost without a question.
import { expect, test, type Page } from '@playwright/test'
import { admin } from '../member/test/sandbox.mjs'
import { act, field, login, open, row } from './console'
import { stamp } from './invent'

const BASE = process.env.BASE_URL ?? 'http://127.0.0.1:8080'
const question = '内容尚未保存，确定离开？'
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
const answer = (text: string) => box().getByRole('button', { name: text }).click()
const add = async (type: string) => {
  await page.goto(`/console/#/r/${type}`)
  await page.locator('.body main').getByRole('button', { name: '添加', exact: true }).click()
  await expect(dialog()).toBeVisible()
}
const title = () => field(dialog(), 'title').locator('input')

test('PLUS-40 Escape, ×, 取消, another page and a closed tab ask once something is typed', async () => {
  // Nothing typed: nothing asked.
  await add('notebookEntry')
  await expect(title()).toBeFocused()
  await dialog().getByRole('button', { name: '取消' }).click()
  await expect(dialog()).toHaveCount(0)

  await add('notebookEntry')
  await title().fill(`未保存${stamp}`)
  for (const leave of [
    () => page.keyboard.press('Escape'),
    () => dialog().getByRole('button', { name: '关闭此对话框' }).or(dialog().locator('.el-dialog__headerbtn')).first().click(),
    () => dialog().getByRole('button', { name: '取消' }).click(),
    () => page.evaluate(() => { location.hash = '#/member' }),
  ]) {
    await leave()
    await expect(box()).toContainText(question)
    await answer('继续填写')
    await expect(box()).toHaveCount(0)
    await expect(title()).toHaveValue(`未保存${stamp}`)
    expect(page.url()).toContain('#/r/notebookEntry')
  }
  const asked = page.waitForEvent('dialog')
  const reloading = page.reload().catch(() => {})
  const native = await asked
  expect(native.type()).toBe('beforeunload')
  await native.accept()
  await reloading
})

test('PLUS-40 the draft is offered the next time, and gone once it is saved', async () => {
  await add('notebookEntry')
  await expect(title()).toHaveValue('')
  await expect(dialog().getByText('有上次未保存的内容')).toBeVisible()
  await page.screenshot({ path: 'test-results/draft.png' })
  await dialog().getByRole('button', { name: '恢复草稿' }).click()
  await expect(title()).toHaveValue(`未保存${stamp}`)
  await dialog().getByRole('button', { name: '取消' }).click()
  await answer('确定离开')
  await expect(dialog()).toHaveCount(0)
  await add('notebookEntry')
  await dialog().getByRole('button', { name: '不再需要' }).click()
  await dialog().getByRole('button', { name: '取消' }).click()
  await expect(dialog()).toHaveCount(0)
  await add('notebookEntry')
  await expect(dialog().getByText('有上次未保存的内容')).toHaveCount(0)
  await dialog().getByRole('button', { name: '取消' }).click()
})

test('PLUS-40 a draft holds neither passwords nor what is personal, and goes with 安全退出', async () => {
  await page.goto('/console/#/member')
  await page.locator('.body main').getByRole('button', { name: '添加', exact: true }).click()
  await field(dialog(), 'name').locator('input').fill('草稿党员')
  await field(dialog(), 'idNumber').locator('input').fill('99010119800101001X')
  await field(dialog(), 'phone').locator('input').fill('19900001111')
  await field(dialog(), 'address').locator('input').fill('某路 9 号')
  const kept = () => page.evaluate(() => Object.entries(localStorage).filter(([k]) => k.startsWith('draft.')).map(([, v]) => v).join())
  await expect.poll(kept).toContain('草稿党员')
  for (const text of ['99010119800101001X', '19900001111', '某路']) expect(await kept()).not.toContain(text)
  await dialog().getByRole('button', { name: '取消' }).click()
  await answer('确定离开')
  await page.getByRole('button', { name: '我的' }).click()
  await page.getByRole('menuitem', { name: '安全退出' }).click()
  await expect(page.getByPlaceholder('用户名')).toBeVisible()
  expect(await kept()).toBe('')
  await login(page)
})

test('PLUS-40 a date is understood as people write it, or refused at the field', async () => {
  await page.goto('/console/#/member')
  await page.locator('.body main').getByRole('button', { name: '添加', exact: true }).click()
  const birth = field(dialog(), 'birthDate')
  const month = field(dialog(), 'duesPaidThrough')
  const type = async (at: typeof birth, text: string, end: 'Enter' | 'Tab') => {
    await at.locator('input').fill(text)
    await at.locator('input').press(end)
  }
  for (const end of ['Enter', 'Tab'] as const) {
    for (const text of ['2024年7月1日', '20240701', '2024/7/1', '2024.7.1', '２０２４－７－１']) {
      await type(birth, text, end)
      await expect(birth.locator('input'), text).toHaveValue('2024-07-01')
      await expect(birth.locator('.el-form-item__error'), text).toHaveCount(0)
    }
    for (const text of ['2024-02-30', '2023-02-29', '2024-13-01', '明天', '45474']) {
      await type(birth, text, end)
      await expect(birth.locator('.el-form-item__error'), text).toContainText(`“${text}”不是有效的日期`)
      await expect(birth.locator('input'), text).toHaveValue('')
    }
  }
  for (const text of ['2024年7月', '202407', '2024/7']) {
    await type(month, text, 'Tab')
    await expect(month.locator('input'), text).toHaveValue('2024-07')
  }
  await type(month, '2024-13', 'Tab')
  await expect(month.locator('.el-form-item__error')).toContainText('不是有效的年月')
  await page.screenshot({ path: 'test-results/dates.png' })
  // Not saved with it, whatever else is right.
  await dialog().getByRole('button', { name: '确定' }).click()
  await expect(birth.locator('.el-form-item__error')).toContainText('不是有效的日期')
  await type(birth, '2000-01-31', 'Tab')
  await expect(birth.locator('.el-form-item__error')).toHaveCount(0)
  await dialog().getByRole('button', { name: '取消' }).click()
  await answer('确定离开')
})

test('PLUS-40 the boxes within the picker of a moment take no day that does not exist', async () => {
  await page.goto('/console/#/meetings')
  await page.locator('.body main').getByRole('button', { name: '添加', exact: true }).click()
  const start = field(dialog(), 'startAt')
  await start.locator('input').click()
  const panel = page.locator('.moments:visible')
  const [day, clock] = [panel.locator('.el-date-picker__editor-wrap input').first(), panel.locator('.el-date-picker__editor-wrap input').last()]
  const type = async (box: typeof day, text: string) => {
    await box.click()
    await box.press('ControlOrMeta+a')
    await box.pressSequentially(text) // only what is typed is told as a change
    await box.press('Enter')
  }
  await type(day, '2024年7月1日')
  await expect(day).toHaveValue('2024-07-01')
  for (const text of ['2024-02-30', '2024-13-01', '明天']) {
    await type(day, text)
    await expect(page.locator('.el-message').last()).toContainText(`“${text}”不是有效的日期`)
    await expect(day, text).toHaveValue('2024-07-01')
  }
  await expect(page.locator('.el-message')).toHaveCount(0)
  await clock.click()
  await expect(panel.locator('.el-time-panel')).toBeVisible()
  await type(clock, '25:00')
  await expect(page.locator('.el-message').last()).toContainText('“25:00”不是有效的时间')
  await type(clock, '9:30')
  await expect(clock).toHaveValue('09:30')
  await page.screenshot({ path: 'test-results/moment.png' })
  await panel.locator('.el-picker-panel__footer').getByRole('button', { name: '确定' }).click()
  await expect(start.locator('input')).toHaveValue('2024-07-01 09:30')
  await dialog().getByRole('button', { name: '取消' }).click()
  await answer('确定离开')
})

test('PLUS-39 an opened form has one key, however often it is sent; the next one has another', async () => {
  const keys: string[] = []
  const lost = { answers: 0 }
  await page.route('**/api/console/records/notebookEntry', async (r) => {
    if (r.request().method() !== 'POST') return r.continue()
    keys.push(r.request().headers()['idempotency-key'])
    if (lost.answers-- > 0) { // it arrives, and nobody hears of it
      await r.fetch()
      return r.abort()
    }
    return r.continue()
  })
  const fill = async (text: string) => {
    await title().fill(text)
    await field(dialog(), 'noteDate').locator('input').fill('2026-01-05')
    await field(dialog(), 'noteDate').locator('input').press('Tab')
    await field(dialog(), 'content').locator('[contenteditable=true]').fill('内容')
  }
  const send = () => dialog().getByRole('button', { name: '确定' }).click()
  const name = `一次${stamp}`
  const stored = async () => (await as('GET', `/records/notebookEntry?keyword=${encodeURIComponent(name)}`)).total
  await add('notebookEntry')
  lost.answers = 1
  await fill(name)
  await send()
  await expect(dialog().locator('.el-alert')).toContainText('网络连接失败')
  // Changed since: what was saved is not saved a second time, and the form says so.
  await title().fill(`${name}改`)
  await send()
  await expect(dialog().locator('.el-alert')).toContainText('上一次提交的内容已经保存')
  await title().fill(name)
  await send()
  await expect(dialog()).toHaveCount(0)
  expect(new Set(keys).size).toBe(1)
  expect(await stored()).toBe(1)
  // The same content, meant again.
  await add('notebookEntry')
  await fill(name)
  await send()
  await expect(dialog()).toHaveCount(0)
  expect(new Set(keys).size).toBe(2)
  expect(await stored()).toBe(2)
  await page.unroute('**/api/console/records/notebookEntry')
})

test('PLUS-40 a phone or an ID number that is pasted is folded, not cut; amounts read as sheets do', async () => {
  await page.goto('/console/#/member')
  await page.locator('.body main').getByRole('button', { name: '添加', exact: true }).click()
  const paste = async (key: string, text: string, want: string) => {
    const input = field(dialog(), key).locator('input')
    await input.fill(text)
    await input.press('Tab')
    await expect(input, text).toHaveValue(want)
  }
  for (const text of ['+86 138-0013-8000', '138 0013 8000', '１３８００１３８０００', '0086-13800138000', '86 13800138000']) await paste('phone', text, '13800138000')
  for (const text of ['110105 19491231 002x', '110105-19491231-002X', '１１０１０５１９４９１２３１００２Ｘ']) await paste('idNumber', text, '11010519491231002X')
  await paste('idNumber', '1101051949123100211', '1101051949123100211') // one too long stays for the server to refuse
  await dialog().getByRole('button', { name: '取消' }).click()
  await answer('确定离开')

  await page.goto('/console/#/dues-base')
  await page.locator('.body main').getByRole('button', { name: '添加', exact: true }).click()
  const amount = field(dialog(), 'baseAmount')
  for (const [text, ok] of [['￥8,500.5', true], ['８５００．５０元', true], ['1，234，567.00', true], ['8.5E3', true], ['8.5E-3', false], ['1,2', false], ['85,00', false], ['1.234', false]] as const) {
    await amount.locator('input').fill(text)
    await amount.locator('input').press('Tab')
    if (ok) await expect(amount.locator('.el-form-item__error'), text).toHaveCount(0)
    else await expect(amount.locator('.el-form-item__error'), text).toContainText('请输入正确的金额')
  }
  await dialog().getByRole('button', { name: '取消' }).click()
  await answer('确定离开')
})

test('COMM-01 filters and page stand in the address: a reload and 后退 show the same list, the tab says which page it is', async () => {
  const name = `地址${stamp}`
  await as('POST', '/records/specialtyTag', { name })
  await page.goto('/console/#/r/specialtyTag')
  await expect(page).toHaveTitle(/特长标签/)
  await page.locator('.search').getByPlaceholder('请输入名称').fill(name)
  await page.getByRole('button', { name: '查询' }).click()
  await expect(page.locator('.el-table__body tr')).toHaveCount(1)
  const there = page.url()
  await page.reload()
  await expect(page.locator('.search').getByPlaceholder('请输入名称')).toHaveValue(name)
  await expect(page.locator('.el-table__body tr')).toHaveCount(1)
  await open(page, '绑定党员')
  await page.goBack()
  await expect(page).toHaveURL(there)
  await expect(page.locator('.el-table__body tr')).toHaveCount(1)
  // The menu entry of the page itself shows the whole list.
  await open(page, '特长标签')
  await expect(page.locator('.search').getByPlaceholder('请输入名称')).toHaveValue('')
  // A deletion names what goes.
  await page.goto(there)
  await act(row(page, name), '删除')
  await expect(box()).toContainText(`“${name}”`)
  await answer('确定')
})

test('COMM-01 an entry of the bell and a link with an id open the record', async () => {
  const [{ id }] = (await as('GET', '/records/member?size=1')).items
  const { name } = await as('GET', `/records/member/${id}`)
  await page.goto(`/console/#/member?id=${id}`)
  await expect(dialog()).toContainText(name)
  await page.keyboard.press('Escape')
  await expect(dialog()).toHaveCount(0)
  await expect(page).not.toHaveURL(/id=/)

  const notice = { id: 'n1', title: '待审核', content: '请查看', targetType: 'member', targetId: id, createdAt: Date.now(), readAt: 0 }
  await page.route('**/api/console/notifications', (r) => r.fulfill({ json: { notifications: [notice], unread: 1 } }))
  await page.goto('/console/#/r/notebookEntry')
  const bell = page.getByRole('button', { name: '消息通知' })
  await bell.hover()
  const [text, ground] = await bell.evaluate((e) => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor])
  expect(text).toBe('rgb(255, 255, 255)')
  expect(ground).not.toBe('rgb(245, 247, 250)') // white on white
  await bell.click()
  await page.locator('.notice').filter({ visible: true }).getByText('请查看').click()
  await expect(page).toHaveURL(/#\/member/)
  await expect(dialog()).toContainText(name)
  await page.keyboard.press('Escape')
  await page.unroute('**/api/console/notifications')
})

test('COMM-01 menu and tree are reached and used by the keyboard', async () => {
  await page.goto('/console/#/r/notebookEntry')
  await page.getByRole('tab', { name: '功能' }).click()
  const entry = page.getByRole('menuitem', { name: '绑定党员', exact: true })
  await expect(entry).toHaveAttribute('tabindex', '0')
  await entry.focus()
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/#\/binding/)
  await page.getByRole('tab', { name: '组织' }).click()
  await page.getByPlaceholder('查找组织').focus()
  await page.keyboard.press('Tab')
  await page.keyboard.press('ArrowDown')
  const focused = await page.evaluate(() => document.activeElement?.textContent?.trim() ?? '')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/org=/)
  const chosen = (await page.locator('.body > header strong').innerText()).trim()
  expect(focused).toContain(chosen)
  await page.goto('about:blank') // the next page begins with the own organisation
})

test('ELEC-09 上传批复 of an election asks for the files', async () => {
  const { nodes: [{ id: orgId }] } = await as('GET', '/tree')
  const election = await as('POST', '/records/election', { orgId, electionForm: 'congress', electedOn: '2022-05-01', termYears: 5, termNo: 1 })
  await page.goto('/console/#/r/election')
  await act(row(page, '2022-05-01').first(), '上传批复')
  await expect(dialog()).toContainText('批复')
  await expect(dialog().locator('input[type=file]')).toHaveCount(1)
  await page.screenshot({ path: 'test-results/approval-files.png' })
  await page.keyboard.press('Escape')
  await act(row(page, '2022-05-01').first(), '领导班子')
  await expect(page.locator('.el-drawer:visible')).toContainText('领导班子')
  await page.keyboard.press('Escape')
  await as('POST', '/records/election/delete', { ids: [election.id] })
})

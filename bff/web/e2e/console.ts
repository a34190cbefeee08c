import { expect, type Locator, type Page } from '@playwright/test'

export const password = process.env.ADMIN_PASSWORD ?? 'Dangjian#2026'

/** Opens the login page; answers the id of the captcha it shows. */
export async function openLogin(page: Page, open: () => Promise<unknown> = () => page.goto('/console/#/login')): Promise<string> {
  // A page that stands at the login already would only change its hash, or is still loading.
  if (page.url().includes('#/login')) await page.goto('about:blank')
  const drawn = page.waitForResponse((r) => r.url().endsWith('/api/console/captcha'))
  await open()
  const { id } = await (await drawn).json()
  await expect(page.locator('.gc-drag-block')).toBeVisible()
  return id
}

/** Drags the piece to its place, by the sandbox's answer; off misses it. */
export async function slide(page: Page, id: string, off = 0) {
  const { x } = await (await page.request.get(`/sandbox/api/captcha/${id}`)).json()
  const knob = (await page.locator('.gc-drag-block').boundingBox())!
  const tile = page.locator('.gc-tile')
  const left = () => tile.evaluate((e) => parseFloat((e as HTMLElement).style.left))
  await page.mouse.move(knob.x + knob.width / 2, knob.y + knob.height / 2)
  await page.mouse.down()
  for (let step = 4; step < 300 && (await left()) < x + off - 2; step += 4)
    await page.mouse.move(knob.x + knob.width / 2 + step, knob.y + knob.height / 2)
  await page.mouse.up()
}

/** Logs in as the admin, through the page. */
export async function login(page: Page, userName = 'admin', secret = password) {
  const id = await openLogin(page)
  await page.getByPlaceholder('用户名').fill(userName)
  await page.getByPlaceholder('密码', { exact: true }).fill(secret)
  await slide(page, id)
  await expect(page.getByText('验证通过')).toBeVisible()
  await page.getByRole('button', { name: '登录' }).click()
  await expect(page.getByRole('heading', { name: '常用功能' })).toBeVisible()
}

/** Opens a page of the menu. */
export async function open(page: Page, title: string) {
  await page.getByRole('tab', { name: '功能' }).click()
  await page.getByRole('menuitem', { name: title, exact: true }).last().click()
  await expect(page.locator('.body main h2').first()).toContainText(title)
}

/** A row of the list that shows. */
export const row = (page: Page, text: string): Locator => page.locator('.el-table__body tr', { hasText: text })

/** Presses a button of a row. */
export const act = (line: Locator, title: string) => line.getByRole('button', { name: title, exact: true }).click()

/** One field of an open form. */
export const field = (dialog: Locator, key: string): Locator => dialog.locator(`[data-field="${key}"]`)

/** Chooses from a select; one that searches is typed into. */
export async function choose(select: Locator, label: string, typed?: string) {
  await select.locator('.el-select__wrapper').click()
  if (typed) await select.locator('input').fill(typed)
  await select.page().locator('.el-select-dropdown__item:visible', { hasText: label }).first().click()
}

/** The dialog that asks twice. */
export const confirm = (page: Page, answer = '确定') => page.locator('.el-message-box').getByRole('button', { name: answer }).click()

/** Filters a list by one field. */
export async function search(page: Page, label: string, value: string) {
  await page.locator('.search').getByPlaceholder(`请输入${label}`).fill(value)
  const answered = page.waitForResponse((r) => r.url().includes('/api/console/records/') && r.request().method() === 'GET')
  await page.getByRole('button', { name: '查询' }).click()
  await answered
}

/** What a click downloads. */
export async function download(page: Page, click: () => Promise<unknown>): Promise<{ name: string; data: Buffer }> {
  const [d] = await Promise.all([page.waitForEvent('download'), click()])
  const chunks: Buffer[] = []
  for await (const chunk of await d.createReadStream()) chunks.push(chunk as Buffer)
  return { name: d.suggestedFilename(), data: Buffer.concat(chunks) }
}

export const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'

/** Chooses a file in the open import dialog; answers how many of its rows can be stored and how many not. */
export async function understood(dialog: Locator, name: string, buffer: Buffer): Promise<[number, number]> {
  await dialog.locator('input[type=file]').setInputFiles({ name, mimeType: XLSX, buffer })
  await expect(dialog.getByText(name)).toBeVisible()
  return counts(dialog)
}

/** How many rows of a preview can be stored and how many not, once it is checked. */
export async function counts(dialog: Locator): Promise<[number, number]> {
  const status = dialog.getByRole('status').filter({ hasText: /^可导入/ })
  await expect(status).toBeVisible()
  const [good, bad] = (await status.innerText()).match(/\d+/g)!.map(Number)
  return [good, bad]
}

/** Imports a file in the open dialog; answers the two numbers of the result. */
export async function upload(dialog: Locator, name: string, buffer: Buffer): Promise<string> {
  const [good, bad] = await understood(dialog, name, buffer)
  const sure = dialog.getByRole('button', { name: '确定导入' })
  if (!good) { // there is nothing to be sure of
    await expect(sure).toBeDisabled()
    return `成功0条、失败${bad}条`
  }
  await sure.click()
  const result = dialog.getByRole('status').filter({ hasText: '导入完成' })
  await expect(result).toBeVisible()
  await expect(dialog.getByRole('progressbar')).toHaveAttribute('aria-valuenow', '100')
  return (await result.innerText()).replace('导入完成：', '').trim()
}

import { expect, type Page } from '@playwright/test'

export const password = process.env.ADMIN_PASSWORD ?? 'Dangjian#2026'

// A page that stands at the login already would only change its hash, not load.
const fresh = (page: Page) => async (): Promise<unknown> => {
  await page.goto('about:blank')
  return page.goto('/console/#/login')
}

/** Opens the login page; answers the id of the captcha it shows. */
export async function openLogin(page: Page, open: () => Promise<unknown> = fresh(page)): Promise<string> {
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

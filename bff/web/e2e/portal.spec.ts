import { expect, test } from '@playwright/test'
import { login, openLogin } from './console'

test('AUTH-01 the portal shows 登录系统 at the top right and no console data without a session', async ({ page, request }) => {
  await page.goto('/')
  const button = page.getByRole('link', { name: '登录系统' })
  const box = (await button.boundingBox())!
  expect(box.x + box.width).toBeGreaterThan(1280 / 2)
  expect(box.y).toBeLessThan(60)
  for (const path of ['me', 'tree', 'statistics', 'records/member', 'notifications'])
    expect((await request.get(`/api/console/${path}`)).status()).toBe(401)
})

test('AUTH-02 登录系统 opens the login page, or the console for one already logged in', async ({ page }) => {
  await page.goto('/')
  await openLogin(page, () => page.getByRole('link', { name: '登录系统' }).click())
  for (const name of ['用户名', '密码']) await expect(page.getByPlaceholder(name, { exact: true })).toBeVisible()
  await expect(page.getByRole('button', { name: '登录' })).toBeVisible()
  await login(page)
  await page.goto('/')
  await page.getByRole('link', { name: '登录系统' }).click()
  await expect(page.getByRole('heading', { name: '常用功能' })).toBeVisible()
})

test('the portal does not overflow a phone', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 })
  await page.goto('/')
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
})

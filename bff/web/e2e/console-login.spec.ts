import { expect, test } from '@playwright/test'
import { admin, sandbox } from '../member/test/sandbox.mjs'
import { login, openLogin, password, slide } from './console'
import { stamp } from './invent'

const BASE = process.env.BASE_URL ?? 'http://127.0.0.1:8080'

test('AUTH-05 an empty user name or password is marked and nothing is sent', async ({ page }) => {
  await openLogin(page)
  let asked = 0
  page.on('request', (r) => { if (r.url().endsWith('/api/console/login')) asked++ })
  await page.getByRole('button', { name: '登录' }).click()
  await expect(page.getByText('请输入用户名')).toBeVisible()
  await expect(page.getByText('请输入密码')).toBeVisible()
  await page.getByPlaceholder('用户名').fill('admin')
  await page.getByRole('button', { name: '登录' }).click()
  await expect(page.getByText('请输入密码')).toBeVisible()
  expect(asked).toBe(0)
})

test('AUTH-03 a wrong name or password stays with the same words and resets the slider; the right ones open home', async ({ page }) => {
  const id = await openLogin(page)
  let captcha = id
  for (const name of ['nobody-here', 'admin']) {
    await page.getByPlaceholder('用户名').fill(name)
    await page.getByPlaceholder('密码', { exact: true }).fill('Wrong#Password1')
    await slide(page, captcha)
    await expect(page.getByText('验证通过')).toBeVisible()
    const drawn = page.waitForResponse((r) => r.url().endsWith('/api/console/captcha'))
    await page.getByRole('button', { name: '登录' }).click()
    captcha = (await (await drawn).json()).id
    await expect(page.getByText('用户名或密码错误')).toBeVisible()
    await expect(page.locator('.gc-drag-block')).toBeVisible()
    expect((await page.request.get('/api/console/me')).status()).toBe(401)
  }
  await login(page)
  const me = await (await page.request.get('/api/console/me')).json()
  await expect(page.locator('header strong')).toHaveText(me.orgName)
})

test('AUTH-06 without a session every page leads to the login page and interfaces refuse', async ({ page }) => {
  for (const path of ['/', '/member', '/dues', '/meetings', '/ranking', '/r/user']) {
    await page.goto(`/console/#${path}`)
    await expect(page).toHaveURL(/#\/login$/)
  }
  const res = await page.request.get('/api/console/records/member')
  expect(res.status()).toBe(401)
  await login(page)
  await page.context().clearCookies()
  await page.getByRole('menuitem', { name: '党员管理' }).last().click()
  await expect(page).toHaveURL(/#\/login$/)
})

test('five wrong passwords lock the account for a while, and a solved captcha is used up', async ({ page }) => {
  const as = await admin(BASE)
  const userName = `locked${stamp}`
  const { nodes } = await as('GET', '/tree')
  await as('POST', '/records/user', { userName, password, realName: '锁定', orgId: nodes[0].id, status: 'enabled', permissions: ['member.view'] })
  let captcha = await openLogin(page)
  /** Tries a password; answers what was sent. */
  const attempt = async (secret: string) => {
    await page.getByPlaceholder('用户名').fill(userName)
    await page.getByPlaceholder('密码', { exact: true }).fill(secret)
    await slide(page, captcha)
    await expect(page.getByText('验证通过')).toBeVisible()
    const drawn = page.waitForResponse((r) => r.url().endsWith('/api/console/captcha'))
    const sent = page.waitForRequest((r) => r.url().endsWith('/api/console/login'))
    await page.getByRole('button', { name: '登录' }).click()
    captcha = (await (await drawn).json()).id
    await expect(page.locator('.gc-drag-block')).toBeVisible()
    return (await sent).postDataJSON()
  }
  const first = await attempt('Wrong#Password1')
  await expect(page.getByText('用户名或密码错误')).toBeVisible()
  const again = await page.request.post('/api/console/login', { headers: { 'X-Requested-With': 'zhihuidangjian' }, data: { ...first, password } })
  expect(again.status()).toBe(400)
  expect((await again.json()).key).toContain('captcha')
  for (let n = 2; n <= 5; n++) await attempt('Wrong#Password1')
  await attempt(password)
  await expect(page.getByText('账号已锁定')).toBeVisible()
  expect((await page.request.get('/api/console/me')).status()).toBe(401)
  await sandbox(BASE, 'POST', 'clock', { advance: '10m' })
  await login(page, userName)
})

import { expect, test } from '@playwright/test'
import { login } from './console'

const own = ['/', '/organization', '/member', '/binding', '/tabs/memberInflow', '/tabs/memberInflowApplication', '/dues', '/dues-base', '/approvals', '/dues-analysis', '/payments', '/meetings', '/ranking', '/points-rule']

for (const [width, height] of [[1280, 800], [390, 844]]) {
  test(`every page fits ${width} px, loads nothing from outside and breaks no security policy`, async ({ page, baseURL }) => {
    test.slow() // some forty pages
    const wrong: string[] = []
    page.on('request', (r) => { if (!r.url().startsWith(baseURL!) && !/^(data|blob):/.test(r.url())) wrong.push(r.url()) })
    page.on('console', (m) => { if (m.type() === 'error' && !m.text().includes('401')) wrong.push(m.text()) })
    page.on('pageerror', (e) => wrong.push(e.message))
    await page.setViewportSize({ width, height })
    await login(page)
    // The side is beside the page, or a drawer on a phone.
    await expect(page.getByRole('menuitem', { name: '会议' })).toBeVisible({ visible: width > 767 })
    const types: { type: string; menu: string }[] = await (await page.request.get('/api/console/records')).json()
    const paths = types.filter((t) => t.menu).map((t) => `/r/${t.type}`)
    expect(paths.length).toBeGreaterThan(10)
    const shot = async (name: string) => process.env.SHOTS && page.screenshot({ path: `${process.env.SHOTS}/${width}${name.replaceAll('/', '-')}.png`, animations: 'disabled' })
    for (const path of [...own, ...paths]) {
      const listed = path.startsWith('/r/') && page.waitForResponse((r) => r.url().includes(`/api/console/records/${path.slice(3)}?`)) // else the page before still shows
      await page.goto(`/console/#${path}`)
      await listed
      await expect(page.locator('.body main .panel').first()).toBeVisible()
      await page.waitForLoadState('networkidle')
      await expect(page.locator('.body main .el-result')).toHaveCount(0)
      expect(await page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.querySelector('.body > main')!.scrollWidth)), path).toBeLessThanOrEqual(width)
      await shot(path)
      const add = page.locator('.body main').getByRole('button', { name: '添加', exact: true })
      if (!path.startsWith('/r/') || !(await add.isVisible())) continue
      await add.click()
      const form = page.locator('.el-dialog:visible')
      await expect(form.getByRole('button', { name: '确定' })).toBeVisible()
      expect(await form.evaluate((e) => [e.scrollWidth - e.clientWidth, e.getBoundingClientRect().width]), path).toEqual([0, expect.any(Number)])
      await shot(path + '-form')
      await form.getByRole('button', { name: '取消' }).click()
      await expect(form).toBeHidden()
    }
    expect(wrong).toEqual([])
  })
}

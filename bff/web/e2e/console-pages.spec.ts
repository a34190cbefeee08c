import { expect, test } from '@playwright/test'
import { login } from './console'

const paths = ['/', '/organization', '/member', '/binding', '/dues', '/dues-base', '/payments', '/meetings', '/ranking', '/points-rule', '/user']

for (const [width, height] of [[1280, 800], [390, 844]]) {
  test(`every page fits ${width} px, loads nothing from outside and breaks no security policy`, async ({ page, baseURL }) => {
    test.slow() // eleven pages
    const wrong: string[] = []
    page.on('request', (r) => { if (!r.url().startsWith(baseURL!) && !/^(data|blob):/.test(r.url())) wrong.push(r.url()) })
    page.on('console', (m) => { if (m.type() === 'error' && !m.text().includes('401')) wrong.push(m.text()) })
    page.on('pageerror', (e) => wrong.push(e.message))
    await page.setViewportSize({ width, height })
    await login(page)
    // The side is beside the page, or a drawer on a phone.
    await expect(page.getByRole('menuitem', { name: '会议' })).toBeVisible({ visible: width > 767 })
    for (const path of paths) {
      await page.goto(`/console/#${path}`)
      await expect(page.locator('.body main .panel').first()).toBeVisible()
      await page.waitForLoadState('networkidle')
      await expect(page.locator('.body main .el-result')).toHaveCount(0)
      expect(await page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.querySelector('.body > main')!.scrollWidth)), path).toBeLessThanOrEqual(width)
      if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${width}${path.replace('/', '-')}.png` })
    }
    expect(wrong).toEqual([])
  })
}

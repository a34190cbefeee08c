// The sandbox page: a phone in somebody's hands, its inbox, WeChat Pay's side, the clock.
import { expect, type BrowserContext, type FrameLocator, type Locator, type Page } from '@playwright/test'

export interface Person { name: string; idNumber: string; phone: string }

export class Phone {
  private constructor(readonly page: Page, readonly screen: FrameLocator) {}

  static async of(context: BrowserContext): Promise<Phone> {
    const page = await context.newPage()
    await page.goto('/sandbox')
    await page.locator('#sandbox-mine').check() // only the holder's messages
    await page.frameLocator('#sandbox-frame').locator('.choose').waitFor() // nobody holds it
    return new Phone(page, page.frameLocator('#sandbox-frame'))
  }

  /** Does what makes the phone load another page, and waits until the one it showed is gone. */
  async opens(what: () => Promise<unknown>) {
    await this.screen.locator('html').evaluate((e) => { e.dataset.old = '' })
    await what()
    await this.screen.locator('html:not([data-old])').waitFor({ state: 'attached' })
  }

  /** Gives the phone to a new WeChat user, who sees the member pages. */
  async newUser(nickname: string, phone: string) {
    await this.page.locator('#sandbox-nickname').fill(nickname)
    await this.page.locator('#sandbox-phone').fill(phone)
    await this.opens(() => this.page.locator('#sandbox-create-user').click())
    await expect(this.page.locator('#sandbox-holder')).toHaveText(`${nickname}的微信`)
  }

  /** Gives the phone to a WeChat user there is. */
  async hand(phone: string) {
    await this.opens(() => this.page.locator('#sandbox-users [data-user]', { hasText: phone }).click())
    await expect(this.page.locator('#sandbox-users [aria-pressed="true"]')).toContainText(phone)
  }

  button = (text: string): Locator => this.screen.locator('uni-button', { hasText: text })
  entry = (text: string): Locator => this.screen.locator('.entry', { hasText: text })
  inbox = (kind: string): Locator => this.page.locator(`#sandbox-inbox [data-kind="${kind}"]`)
  tab = (text: string): Locator => this.screen.locator('.uni-tabbar__label', { hasText: text })

  async home() {
    await this.opens(() => this.page.locator('#sandbox-home').click())
  }

  async fill(who: Person) {
    await expect(this.screen.locator('.field-name')).toBeVisible()
    for (const key of ['name', 'idNumber', 'phone'] as const) await this.screen.locator(`.field-${key} input`).fill(who[key])
  }

  /** Binds on the page that asks for it, with the code of the SMS in the inbox. */
  async bind(who: Person) {
    await this.fill(who)
    const before = await this.inbox('bindCode').count()
    await this.button('获取验证码').click()
    await expect(this.inbox('bindCode')).toHaveCount(before + 1)
    const code = /\d{6}/.exec(await this.inbox('bindCode').first().locator('p').innerText())![0]
    await this.screen.locator('.field-code input').fill(code)
    await this.screen.locator('uni-button.submit').click()
  }

  /** Scans a code, like WeChat's scanner: one of ours opens a page, one of WeChat Pay does not. */
  async scan(text: string) {
    await this.page.locator('#sandbox-scan').fill(text)
    const go = () => this.page.locator('#sandbox-scan-go').click()
    await (text.startsWith('weixin:') ? go() : this.opens(go))
  }
}

import { expect, type Browser, type Page } from '@playwright/test'
import { admin, sandbox, smsCode } from '../member/test/sandbox.mjs'
import { inventedID, inventedPhone } from './invent'

const BASE = process.env.BASE_URL ?? 'http://127.0.0.1:8080'

/** The phone of a new member of a new branch below an organisation. */
export async function reader(browser: Browser, root: Awaited<ReturnType<typeof admin>>, parentId: string): Promise<Page> {
  const orgId = (await root('POST', '/records/organization', { orgName: `读书党支部${inventedPhone()}`, orgType: 'branch', parentId: parentId, secretary: '李书记', contactName: '王联络', contactPhone: inventedPhone(), address: '书院路' })).id
  const who = { name: '史读书', idNumber: inventedID(), phone: inventedPhone() }
  await root('POST', '/records/member', { ...who, orgId, memberType: 'fullMember', joinedOn: '2008-07-01', regularizedOn: '2009-07-01' })
  const { id } = await sandbox(BASE, 'POST', 'users', { nickname: who.name, phone: who.phone })
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, baseURL: BASE })
  await context.request.post('/sandbox/api/phone', { data: { userId: id } })
  const phone = await context.newPage()
  const visible = (selector: string) => phone.locator(`${selector}:visible`)
  await phone.goto('/m/#/pages/bind/index')
  for (const key of ['name', 'idNumber', 'phone'] as const) await phone.locator(`.field-${key} input`).fill(who[key])
  await visible('uni-button').filter({ hasText: '获取验证码' }).click()
  await expect(visible('uni-button').filter({ hasText: '秒后重发' })).toBeVisible()
  await phone.locator('.field-code input').fill(await smsCode(BASE, who.phone))
  await visible('uni-button.submit').click()
  await expect(visible('.entry').first()).toBeVisible()
  return phone
}

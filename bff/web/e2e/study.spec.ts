// Study tasks (manual 10.1): added and counted in the console, completed and scored on the phone.
import { expect, test } from '@playwright/test'
import { admin } from '../member/test/sandbox.mjs'
import { wall } from './clock'
import { act, field, login, open, row } from './console'
import { stamp } from './invent'
import { reader } from './reader'

const BASE = process.env.BASE_URL ?? 'http://127.0.0.1:8080'

test('STDY-01 STDY-03 STDY-04 STDY-05 STDY-06 STDY-07 STDY-08 STDY-13 a study is added, told, completed and scored on the phone, and counted', async ({ page, browser }) => {
  const root = await admin(BASE)
  const { nodes } = await root('GET', '/tree')
  const phone = await reader(browser, root, nodes[0].id)
  const title = `学习党章${stamp}`
  await login(page)
  await page.getByRole('tab', { name: '功能' }).click()
  for (const entry of ['学习任务', '考核管理', '试题', '专题', '知识', '视频']) await expect(page.getByRole('menuitem', { name: entry, exact: true })).toHaveCount(1)
  await open(page, '学习任务')
  await page.getByRole('button', { name: '添加', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: '新增学习任务' })
  const at = async (key: string, text: string) => {
    await field(dialog, key).locator('input').first().fill(text)
    await page.keyboard.press('Enter')
  }
  await dialog.getByRole('button', { name: '确定' }).click()
  for (const key of ['title', 'startAt', 'endAt', 'noticeForm']) await expect(field(dialog, key)).toContainText('请填写')
  await field(dialog, 'title').locator('input').fill(title)
  await field(dialog, 'content').locator('[contenteditable=true]').fill('学习党章总纲，掌握党的性质和宗旨。')
  await at('startAt', await wall(2))
  await at('endAt', await wall(1))
  await field(dialog, 'noticeForm').locator('.el-select').click()
  await page.locator('.el-select-dropdown:visible').getByRole('option', { name: '站内', exact: true }).click()
  await page.keyboard.press('Escape')
  await field(dialog, 'participantOrgId').locator('.el-select').click()
  await page.locator('.el-tree-select__popper:visible .el-tree-node__content').first().click()
  await dialog.getByRole('button', { name: '确定' }).click()
  await expect(field(dialog, 'startAt')).toContainText('学习开始时间不能晚于学习结束时间')
  await at('startAt', await wall(-1))
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/console-study-form.png` })
  await dialog.getByRole('button', { name: '确定' }).click()
  await expect(dialog).toBeHidden()
  await expect(row(page, title)).toContainText('进行中')
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/console-studies.png` })

  const visible = (selector: string) => phone.locator(`${selector}:visible`)
  await phone.goto('/m/#/pages/study/index')
  await visible('.entry').filter({ hasText: '学习任务' }).click()
  const card = visible('.record').filter({ hasText: title })
  await expect(card).toContainText('未完成')
  await card.click()
  await expect(phone.getByText('掌握党的性质和宗旨').filter({ visible: true })).toBeVisible()
  await expect(visible('uni-button').filter({ hasText: '评分' })).toHaveCount(0)
  await visible('uni-button').filter({ hasText: '确认学习完成' }).click()
  await phone.locator('.uni-modal__btn_primary').click()
  await expect(visible('.field-mine')).toContainText('已完成')
  await expect(visible('uni-button').filter({ hasText: '确认学习完成' })).toHaveCount(0)
  if (process.env.SHOTS) await phone.screenshot({ path: `${process.env.SHOTS}/phone-study.png` })
  await visible('uni-button').filter({ hasText: '评分' }).click()
  await visible('uni-button.submit').click()
  await expect(visible('.field-score .red').filter({ hasText: '请选择评分' })).toBeVisible()
  await visible('.field-score uni-picker').first().click()
  await phone.locator('.uni-picker-action-confirm').click()
  await visible('.field-comment textarea').fill('内容充实')
  if (process.env.SHOTS) await phone.screenshot({ path: `${process.env.SHOTS}/phone-study-score.png` })
  await visible('uni-button.submit').click()
  await expect(visible('.field-mine')).toContainText('已完成')
  await expect(visible('uni-button').filter({ hasText: '评分' })).toHaveCount(0)

  await act(row(page, title), '统计')
  await expect(page.getByRole('tab', { name: '已完成（1）' })).toBeVisible()
  await expect(page.locator('.el-table__body tr').first()).toContainText('内容充实')
  await expect(page.getByText('5.0')).toBeVisible()
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/console-study-statistics.png` })
})

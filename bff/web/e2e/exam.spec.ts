// Exams (manual 10.2): added, enabled and counted in the console, sat on the phone.
import { expect, test, type Browser, type Page } from '@playwright/test'
import { admin } from '../member/test/sandbox.mjs'
import { later, wall } from './clock'
import { act, field, login, open, row } from './console'
import { inventedPhone, stamp } from './invent'
import { reader } from './reader'

const BASE = process.env.BASE_URL ?? 'http://127.0.0.1:8080'
const shot = async (page: Page, name: string) => { if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` }) }
type Root = Awaited<ReturnType<typeof admin>>

/** A category with questions: the first a multiple choice of A and C, all others true. */
async function bank(root: Root, n: number, name = `考题${stamp}${inventedPhone()}`) {
  const { id: categoryId } = await root('POST', '/records/questionCategory', { name })
  const ids: string[] = []
  for (let i = 0; i < n; i++) {
    const one = i
      ? { questionType: 'judge', stem: `第${i}题${name}`, answers: ['right'], analysis: `解析${i}` }
      : { questionType: 'multiple', stem: `多选题${name}`, answers: ['A', 'C'], optionA: '坚持党的全面领导', optionB: '坚持自行其是', optionC: '坚持以人民为中心', optionD: '坚持闭门造车' }
    ids.push((await root('POST', '/records/question', { ...one, categoryId })).id)
  }
  return { categoryId, name, ids }
}

async function enabled(root: Root, browser: Browser, title: string) {
  const { nodes } = await root('GET', '/tree')
  const phone = await reader(browser, root, nodes[0].id)
  const { memberId } = await (await phone.request.get('/api/member/me')).json()
  const b = await bank(root, 10)
  const { id } = await root('POST', '/records/exam', { title, categoryId: b.categoryId, questionCount: '10', selectMode: 'manual', questionIds: b.ids, receiverIds: [memberId], deadlineAt: await later(6) })
  await root('POST', `/records/exam/${id}/actions/enable`, {})
  return { id, phone, ...b }
}

test('EXAM-02 EXAM-03 EXAM-06 EXAM-08 EXAM-13 EXAM-19 EXAM-21 EXAM-22 a paper is filled at random, typed into, saved, viewed, enabled and used again', async ({ page }) => {
  const root = await admin(BASE)
  const { name } = await bank(root, 10)
  const title = `党章知识测试${stamp}`
  await login(page)
  await open(page, '考核管理')
  await page.getByRole('button', { name: '添加', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: '新增考核' })
  const choose = async (d: typeof dialog, key: string, label: string) => {
    await field(d, key).locator('.el-select').click()
    await page.locator('.el-select-dropdown:visible').getByRole('option', { name: label, exact: true }).click()
  }
  await dialog.getByRole('button', { name: '确定' }).click()
  for (const key of ['title', 'categoryId', 'questionCount', 'selectMode', 'deadlineAt']) await expect(field(dialog, key)).toContainText('请填写')
  await field(dialog, 'title').locator('input').fill(title)
  await field(dialog, 'categoryId').locator('input').fill(name)
  await page.locator('.el-select-dropdown:visible').getByRole('option').filter({ hasText: name }).click()
  await choose(dialog, 'questionCount', '20')
  await choose(dialog, 'selectMode', '手工选择')
  const questions = field(dialog, 'questionIds')
  await questions.getByRole('button', { name: '一键生成' }).click()
  await expect(page.getByText('试题数量不足').first()).toBeVisible()
  await expect(questions).toContainText('已选 0 道')
  await choose(dialog, 'questionCount', '10')
  await questions.getByRole('button', { name: '一键生成' }).click()
  await expect(questions).toContainText('已选 10 道，应选 10 道')
  await questions.getByRole('button', { name: '移除' }).first().click()
  await expect(questions).toContainText('已选 9 道')
  await questions.getByRole('button', { name: '手动添加试题' }).click()
  const typed = page.getByRole('dialog', { name: '新增试题' })
  await choose(typed, 'questionType', '判断')
  await field(typed, 'stem').locator('textarea').fill(`手工录入的题${stamp}`)
  await typed.getByRole('button', { name: '确定' }).click()
  await expect(field(typed, 'answers')).toContainText('请填写')
  await field(typed, 'answers').locator('.el-select').click()
  await page.locator('.el-select-dropdown:visible').getByRole('option', { name: '错误', exact: true }).click()
  await page.keyboard.press('Escape')
  await expect(typed).toBeVisible()
  await typed.getByRole('button', { name: '确定' }).click()
  await expect(typed).toBeHidden()
  await expect(questions).toContainText(`手工录入的题${stamp}`)
  await field(dialog, 'receiverOrgId').locator('.el-select').click()
  await page.locator('.el-tree-select__popper:visible .el-tree-node__content').first().click()
  const at = await wall(2)
  await field(dialog, 'deadlineAt').locator('input').first().fill(at)
  await page.keyboard.press('Enter')
  await dialog.getByRole('button', { name: '确定' }).click()
  await expect(field(dialog, 'deadlineAt')).toContainText('考核截止时间必须为当前时间5个小时后')
  await shot(page, 'console-exam-form')
  const good = await wall(30)
  await field(dialog, 'deadlineAt').locator('input').first().fill(good)
  await page.keyboard.press('Enter')
  await dialog.getByRole('button', { name: '确定' }).click()
  await expect(dialog).toBeHidden()
  await expect(row(page, title)).toContainText('未启用')
  await row(page, title).getByRole('button', { name: title }).click()
  const detail = page.getByRole('dialog', { name: '考核详情' })
  await expect(detail).toContainText('正确答案：A、C')
  await expect(detail).toContainText(`手工录入的题${stamp}`)
  await shot(page, 'console-exam-detail')
  await detail.getByRole('button', { name: /关闭|Close/ }).click()

  await act(row(page, title), '启用')
  await page.locator('.el-message-box:visible').getByRole('button', { name: '确定' }).click()
  await expect(row(page, title)).toContainText('已启用')
  for (const gone of ['修改', '删除', '启用']) await expect(row(page, title).getByRole('button', { name: gone, exact: true })).toHaveCount(0)
  await shot(page, 'console-exams')
  await act(row(page, title), '使用试卷')
  await expect(questions).toContainText('已选 10 道，应选 10 道')
  await expect(field(dialog, 'title').locator('input')).toHaveValue('')
  await field(dialog, 'title').locator('input').fill(`再考一次${stamp}`)
  await dialog.getByRole('button', { name: '确定' }).click()
  await expect(field(dialog, 'deadlineAt')).toContainText('请填写')
})

test('EXAM-10 EXAM-11 EXAM-12 EXAM-23 EXAM-24 PLUS-25 PLUS-26 a paper is sat on the phone, goes on where it was, is scored at once, and counted in the console', async ({ page, browser }) => {
  const root = await admin(BASE)
  const title = `季度考核${stamp}`
  const { id, phone } = await enabled(root, browser, title)
  const visible = (selector: string) => phone.locator(`${selector}:visible`)
  await phone.goto('/m/#/pages/study/index')
  await visible('.entry').filter({ hasText: '考核测评' }).click()
  const card = visible('.exam').filter({ hasText: title })
  await expect(card).toContainText('未答')
  await card.click()
  await expect(visible('.question')).toHaveCount(10)
  await expect(visible('.clock')).toContainText('剩余 05:')
  const option = (q: number, text: string) => visible('.question').nth(q).locator('.option').filter({ hasText: text })
  await option(0, '坚持党的全面领导').click()
  await option(0, '坚持以人民为中心').click()
  for (let q = 1; q < 6; q++) await option(q, '正确').click()
  await option(6, '错误').click()
  await expect(visible('.clock')).toContainText('已答 7/10')
  await expect(visible('.clock')).toContainText('已保存')
  await shot(phone, 'phone-exam')
  expect(await phone.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
  // Without network an answer waits on the phone, and goes when it can.
  await phone.context().setOffline(true)
  await option(7, '正确').click()
  await expect(visible('.clock')).toContainText('答案已留在手机上')
  await phone.context().setOffline(false)
  await expect(visible('.clock')).toContainText('已保存')
  // The battery died: opened again it goes on where it was.
  await phone.reload()
  await expect(visible('.clock')).toContainText('已答 8/10')
  await visible('uni-button.submit').click()
  await expect(phone.getByText('还有2道题未答')).toBeVisible()
  await phone.locator('.uni-modal__btn_primary').click()
  await expect(visible('.result')).toContainText('70')
  await expect(visible('.result')).toContainText('及格')
  await expect(visible('.question').nth(6)).toContainText('正确答案：正确')
  await expect(visible('.question').nth(6)).toContainText('解析6')
  await shot(phone, 'phone-exam-result')
  await phone.goto('/m/#/pages/exams/list')
  await expect(card).toContainText('已交卷')
  await expect(card).toContainText('70')

  await login(page)
  await page.goto(`/console/#/exams/${id}/statistics`)
  await expect(page.getByRole('timer')).toContainText('距离交卷还有0天5小时')
  await expect(page.locator('.el-table__body tr')).toHaveCount(1)
  await expect(page.locator('.el-table__body tr')).toContainText('70')
  await page.locator('.el-table__body tr').getByRole('button', { name: '补考' }).click()
  const dialog = page.getByRole('dialog', { name: '安排补考' })
  await dialog.getByRole('button', { name: '确定' }).click()
  await expect(dialog).toContainText('请填写原因')
  await dialog.getByPlaceholder('请选择截止时间').fill(await wall(26))
  await page.keyboard.press('Enter')
  await dialog.getByPlaceholder(/请输入原因/).fill('成绩申诉后复考')
  await dialog.getByRole('button', { name: '确定' }).click()
  await expect(dialog).toBeHidden()
  await shot(page, 'console-exam-statistics')
  await page.getByRole('tab', { name: '错题排行' }).click()
  await expect(page.getByText('100%').first()).toBeVisible()
  await page.getByRole('tab', { name: '分数分布' }).click()
  await expect(page.locator('canvas')).toBeVisible()
  await shot(page, 'console-exam-bands')
  await phone.goto('/m/#/pages/exams/paper?id=' + id)
  await expect(visible('.question')).toHaveCount(10)
  await expect(visible('.clock')).toContainText('已答 0/10')
})

// The question bank in the console (manual 10.3), topics there, on the phone and on the portal (10.5), the
// knowledge base there and on the phone (10.6).
import { readFileSync } from 'node:fs'
import { expect, test, type Page } from '@playwright/test'
import { admin } from '../member/test/sandbox.mjs'
import { act, field, login, open, row } from './console'
import { stamp } from './invent'
import { reader } from './reader'

const BASE = process.env.BASE_URL ?? 'http://127.0.0.1:8080'

test('QUES-02 QUES-03 a question is added: options of a choice, none of a true/false one, and what is wrong is told at its field', async ({ page }) => {
  const root = await admin(BASE)
  const category = `党章${stamp}`
  await root('POST', '/records/questionCategory', { name: category })
  await login(page)
  await open(page, '试题')
  await page.getByRole('button', { name: '添加', exact: true }).click()
  const dialog = page.locator('.el-dialog:visible')
  const choose = async (key: string, label: string) => {
    await field(dialog, key).locator('.el-select').click()
    await page.locator('.el-select-dropdown:visible').getByRole('option', { name: label, exact: true }).click()
    if (key === 'answers') await page.keyboard.press('Escape')
  }
  await choose('questionType', '单选')
  await field(dialog, 'stem').locator('textarea').fill(`党的最高理想和最终目标是${stamp}`)
  for (const [key, text] of [['optionA', '实现共产主义'], ['optionB', '全面小康'], ['optionC', '民族复兴'], ['optionD', '全面小康']]) await field(dialog, key).locator('input').fill(text)
  await choose('answers', 'A')
  await field(dialog, 'categoryId').locator('input').fill(category)
  await page.locator('.el-select-dropdown:visible').getByRole('option').filter({ hasText: category }).click()
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/console-question.png` })
  await dialog.getByRole('button', { name: /确定|保存/ }).click()
  await expect(dialog.getByText('与选项B相同')).toBeVisible()
  await field(dialog, 'optionD').locator('input').fill('社会主义现代化')
  await dialog.getByRole('button', { name: /确定|保存/ }).click()
  await expect(dialog).toBeHidden()
  await expect(row(page, `最终目标是${stamp}`)).toContainText('单选')

  await page.getByRole('button', { name: '添加', exact: true }).click()
  await choose('questionType', '判断')
  await expect(field(dialog, 'optionA')).toHaveCount(0)
  await field(dialog, 'stem').locator('textarea').fill(`民主集中制是党的根本组织原则${stamp}`)
  await choose('answers', '正确')
  await field(dialog, 'categoryId').locator('input').fill(category)
  await page.locator('.el-select-dropdown:visible').getByRole('option').filter({ hasText: category }).click()
  await dialog.getByRole('button', { name: /确定|保存/ }).click()
  await expect(row(page, `根本组织原则${stamp}`)).toContainText('判断')
})

test('KNOW-02 KNOW-04 KNOW-05 KNOW-06 KTAG-10 KTAG-12 an article is added in the console and found on the phone: by category, by word, by the tag that has a column', async ({ page, browser }) => {
  const root = await admin(BASE)
  const { nodes } = await root('GET', '/tree')
  const [category, other, tag, title] = [`党史${stamp}`, `党章${stamp}`, `必读${stamp}`, `古田会议${stamp}`]
  for (const name of [category, other]) await root('POST', '/records/knowledgeCategory', { name })
  await root('POST', '/records/knowledgeTag', { name: tag })
  await login(page)
  await open(page, '知识标签')
  await act(row(page, tag), '添加栏目')
  await page.locator('.el-message-box:visible').getByRole('button', { name: '确定' }).click()
  await expect(row(page, tag)).toContainText('是')
  await open(page, '知识')
  await page.getByRole('button', { name: '添加', exact: true }).click()
  const dialog = page.locator('.el-dialog:visible')
  await field(dialog, 'title').locator('input').fill(title)
  await dialog.getByRole('button', { name: /确定|保存/ }).click()
  await expect(field(dialog, 'categoryId')).toContainText('请填写')
  for (const [key, name] of [['categoryId', category], ['tagIds', tag]]) {
    await field(dialog, key).locator('input').fill(name)
    await page.locator('.el-select-dropdown:visible').getByRole('option').filter({ hasText: name }).click()
    if (key === 'tagIds') await page.keyboard.press('Escape')
  }
  await field(dialog, 'content').locator('[contenteditable=true]').fill('确立了思想建党、政治建军的原则。')
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/console-knowledge-form.png` })
  await dialog.getByRole('button', { name: /确定|保存/ }).click()
  await expect(row(page, title)).toContainText(category)
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/console-knowledge.png` })

  const phone = await reader(browser, root, nodes[0].id)
  const visible = (selector: string) => phone.locator(`${selector}:visible`)
  const article = visible('.article').filter({ hasText: title })
  for (const tab of ['home', 'study']) {
    await phone.goto(`/m/#/pages/${tab}/index`)
    await visible('.entry').filter({ hasText: '知识库' }).click()
    await expect(article).toContainText(category)
  }
  if (process.env.SHOTS) await phone.screenshot({ path: `${process.env.SHOTS}/phone-knowledge.png` })
  await visible('.category').filter({ hasText: other }).click()
  await expect(phone.getByText('暂无数据').filter({ visible: true })).toBeVisible()
  await visible('.category').filter({ hasText: category }).click()
  await expect(article).toBeVisible()
  await visible('.chip').filter({ hasText: tag }).click()
  await expect(visible('.article')).toHaveCount(1)
  await visible('.word input').fill('没有的词')
  await expect(phone.getByText('暂无数据').filter({ visible: true })).toBeVisible()
  await visible('.word input').fill('思想建党、政治建军')
  await expect(visible('.article')).toHaveCount(1)
  expect(await phone.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
  await article.click()
  await expect(phone.getByText('确立了思想建党、政治建军的原则。')).toBeVisible()
  if (process.env.SHOTS) await phone.screenshot({ path: `${process.env.SHOTS}/phone-knowledge-detail.png` })

  const made = (await root('GET', `/records/knowledge?f.title=${encodeURIComponent(title)}`)).items[0]
  await root('POST', '/records/knowledge/delete', { ids: [made.id] })
  await phone.goto(`/m/#/pages/articles/detail?type=knowledge&id=${made.id}`)
  await phone.reload()
  await expect(phone.getByText('内容不存在')).toBeVisible()
  await phone.context().close()
})

test('TOPC-02 TOPC-03 TOPC-04 TCAT-02 TCAT-08 TCAT-09 TCAT-11 TCAT-12 a category with its two pictures becomes a column of the portal; its topics are read there and on the phone', async ({ page, browser }) => {
  const root = await admin(BASE)
  const { nodes } = await root('GET', '/tree')
  const [category, title] = [`主题教育${stamp}`, `深学笃行${stamp}`]
  const picture = { name: '图标.png', mimeType: 'image/png', buffer: readFileSync('../portal/console.png') }
  await login(page)
  await open(page, '专题分类')
  await page.getByRole('button', { name: '添加', exact: true }).click()
  const dialog = page.locator('.el-dialog:visible')
  await field(dialog, 'name').locator('input').fill(category)
  await dialog.getByRole('button', { name: /确定|保存/ }).click()
  await expect(field(dialog, 'smallIcon')).toContainText(/请/)
  for (const key of ['smallIcon', 'largeIcon']) {
    await field(dialog, key).locator('input[type=file]').setInputFiles(picture)
    await expect(field(dialog, key).locator('img')).toBeVisible()
  }
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/console-topic-category.png` })
  await dialog.getByRole('button', { name: /确定|保存/ }).click()
  await expect(row(page, category)).toBeVisible()
  const column = async (verb: string) => {
    await act(row(page, category), verb)
    await page.locator('.el-message-box:visible').getByRole('button', { name: '确定' }).click()
    await expect(row(page, category)).toContainText(verb === '添加栏目' ? '是' : '否')
  }
  await column('添加栏目')
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/console-topic-categories.png` })
  await open(page, '专题')
  await page.getByRole('button', { name: '添加', exact: true }).click()
  await field(dialog, 'title').locator('input').fill(title)
  await field(dialog, 'categoryId').locator('input').fill(category)
  await page.locator('.el-select-dropdown:visible').getByRole('option').filter({ hasText: category }).click()
  await field(dialog, 'content').locator('[contenteditable=true]').fill('理论学习与实践相结合。')
  await dialog.getByRole('button', { name: /确定|保存/ }).click()
  await expect(row(page, title)).toContainText(category)

  const visitor = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, baseURL: BASE })).newPage()
  await visitor.goto('/')
  const shown = visitor.locator('.column').filter({ hasText: category })
  await expect.poll(() => shown.locator('img').evaluate((i: HTMLImageElement) => i.naturalWidth)).toBeGreaterThan(100)
  if (process.env.SHOTS) await visitor.screenshot({ path: `${process.env.SHOTS}/portal-columns.png`, fullPage: true })
  await shown.getByRole('link', { name: title }).click()
  await expect(visitor.locator('article')).toHaveText('理论学习与实践相结合。')
  await visitor.setViewportSize({ width: 390, height: 844 })
  if (process.env.SHOTS) await visitor.screenshot({ path: `${process.env.SHOTS}/portal-topic.png` })
  expect(await visitor.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)

  const phone = await reader(browser, root, nodes[0].id)
  const visible = (selector: string) => phone.locator(`${selector}:visible`)
  for (const tab of ['home', 'study']) {
    await phone.goto(`/m/#/pages/${tab}/index`)
    await visible('.entry').filter({ hasText: '专题学习' }).click()
    await expect(visible('.article').filter({ hasText: title })).toBeVisible()
  }
  await expect(visible('.category').filter({ hasText: category }).locator('img')).toBeAttached()
  if (process.env.SHOTS) await phone.screenshot({ path: `${process.env.SHOTS}/phone-topics.png` })
  await visible('.category').filter({ hasText: category }).click()
  await expect(visible('.article')).toHaveCount(1)
  await visible('.article').click()
  await expect(phone.getByText('理论学习与实践相结合。')).toBeVisible()
  if (process.env.SHOTS) await phone.screenshot({ path: `${process.env.SHOTS}/phone-topic.png` })
  await phone.context().close()

  const address = visitor.url()
  await open(page, '专题分类')
  await column('删除栏目')
  await visitor.goto('/')
  await expect(visitor.getByRole('heading', { name: '党费缴纳' })).toBeVisible()
  await visitor.waitForLoadState('networkidle')
  await expect(shown).toHaveCount(0)
  await visitor.goto(address)
  await expect(visitor.getByText('内容不存在')).toBeVisible()
  await visitor.context().close()
})

/** The shortest MP4 that says what players ask for: five seconds of moving pictures. */
function film(): Buffer {
  const box = (kind: string, ...contents: Buffer[]) => {
    const body = Buffer.concat(contents)
    const head = Buffer.alloc(8)
    head.writeUInt32BE(8 + body.length)
    head.write(kind, 4, 'latin1')
    return Buffer.concat([head, body])
  }
  const mvhd = Buffer.alloc(100)
  mvhd.writeUInt32BE(1000, 12)
  mvhd.writeUInt32BE(5000, 16)
  const hdlr = Buffer.alloc(25)
  hdlr.write('vide', 8, 'latin1')
  return Buffer.concat([box('ftyp', Buffer.from('isom\0\0\x02\0isom', 'latin1')), box('moov', box('mvhd', mvhd), box('trak', box('mdia', box('hdlr', hdlr)))), box('mdat', Buffer.from([1, 2, 3]))])
}

test('VIDE-02 VIDE-03 VIDE-04 VIDE-05 a video with its cover is added in the console, and stands beside the knowledge base on the phone', async ({ page, browser }) => {
  const root = await admin(BASE)
  const { nodes } = await root('GET', '/tree')
  const [category, title] = [`党课${stamp}`, `开学第一课${stamp}`]
  await root('POST', '/records/videoCategory', { name: category })
  await login(page)
  await open(page, '视频')
  await page.getByRole('button', { name: '添加', exact: true }).click()
  const dialog = page.locator('.el-dialog:visible')
  await field(dialog, 'title').locator('input').fill(title)
  await field(dialog, 'categoryId').locator('input').fill(category)
  await page.locator('.el-select-dropdown:visible').getByRole('option').filter({ hasText: category }).click()
  await field(dialog, 'cover').locator('input[type=file]').setInputFiles({ name: '封面.png', mimeType: 'image/png', buffer: readFileSync('../portal/console.png') })
  await expect(field(dialog, 'cover').locator('img')).toBeVisible()
  const take = async (name: string, buffer: Buffer) => {
    await field(dialog, 'video').locator('input[type=file]').setInputFiles({ name, mimeType: 'video/mp4', buffer })
    await expect(field(dialog, 'video').getByText(name)).toBeVisible()
  }
  await take('断了.mp4', film().subarray(0, -11))
  await dialog.getByRole('button', { name: /确定|保存/ }).click()
  await expect(dialog.getByText('不是可播放的MP4视频，请转换后重新上传')).toBeVisible()
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/console-video-form.png` })
  await field(dialog, 'video').getByRole('button', { name: '移除' }).click()
  await take('第一课.mp4', film())
  await dialog.getByRole('button', { name: /确定|保存/ }).click()
  await expect(row(page, title)).toContainText(category)
  await act(row(page, title), '查看')
  await page.getByRole('button', { name: '预览' }).filter({ visible: true }).click()
  await expect(page.locator('video')).toBeVisible()

  const phone = await reader(browser, root, nodes[0].id)
  const visible = (selector: string) => phone.locator(`${selector}:visible`)
  const video = visible('.article').filter({ hasText: title })
  for (const tab of ['home', 'study']) {
    await phone.goto(`/m/#/pages/${tab}/index`)
    await visible('.entry').filter({ hasText: '知识库' }).click()
    await visible('.tab').filter({ hasText: '视频' }).click()
    await expect(video).toContainText(category)
  }
  if (process.env.SHOTS) await phone.screenshot({ path: `${process.env.SHOTS}/phone-videos.png` })
  await video.click()
  await expect(visible('.headline')).toHaveText(title)
  await expect(phone.locator('video')).toHaveAttribute('src', /\/api\/member\/records\/video\/files\//)
  if (process.env.SHOTS) await phone.screenshot({ path: `${process.env.SHOTS}/phone-video.png` })
  expect(await phone.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
  await phone.context().close()
})

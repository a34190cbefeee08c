import { expect, test, type Page } from '@playwright/test'
import { act, login, open } from './console'

const headers = { 'X-Requested-With': 'zhihuidangjian' }
const post = async (page: Page, type: string, data: object) => {
  const res = await page.request.post(`/api/console/records/${type}`, { headers, data })
  expect(res.status(), await res.text()).toBe(200)
  return res.json()
}
const org = (orgName: string, orgType: string, parentId: string, more: object = {}) =>
  ({ orgName, orgType, parentId, secretary: '李书记', contactName: '王干事', contactPhone: '13800138000', ...more })
const row = (page: Page, name: string) => page.locator('.el-table__row', { hasText: name })
const stamp = Date.now() % 100000

test.describe('chapters 3 and 5: the tree, the map, leadership and transfer', () => {
  let page: Page
  let ids: { root: string; general: string; branch: string; target: string }
  const general = `地图总支${stamp}`, branch = `地图支部${stamp}`, bare = `无位置支部${stamp}`, target = `新总支${stamp}`
  test.beforeAll(async ({ browser }) => {
    page = await browser.newPage()
    await login(page)
    const { nodes } = await (await page.request.get('/api/console/tree')).json()
    const root = nodes[0].id
    const g = (await post(page, 'organization', org(general, 'generalBranch', root, { longitude: '120.15', latitude: '30.28', address: '示范路9号' }))).id
    const b = (await post(page, 'organization', org(branch, 'branch', g, { longitude: '120.17', latitude: '30.29', secretaryPhone: '' }))).id
    await post(page, 'organization', org(bare, 'branch', g))
    const t = (await post(page, 'organization', org(target, 'generalBranch', root))).id
    ids = { root, general: g, branch: b, target: t }
    await page.reload()
  })
  test.afterAll(() => page.close())

  test('TREE-04 the tree folds and unfolds, and is searched by name', async () => {
    await page.getByRole('tab', { name: '组织', exact: true }).click()
    const tree = page.locator('.side .el-tree')
    const node = (name: string) => tree.locator('.node', { hasText: name })
    await expect(node(branch)).toBeVisible()
    const fold = tree.locator('.el-tree-node', { has: page.locator(`[title="${general}"]`) }).last().locator('.el-tree-node__expand-icon').first()
    await fold.click()
    await expect(node(branch)).toBeHidden()
    await expect(node(target)).toBeVisible()
    await fold.click()
    await expect(node(branch)).toBeVisible()
    await page.getByPlaceholder('查找组织').fill(`支部${stamp}`)
    await expect(node(branch)).toBeVisible()
    await expect(node(general)).toBeVisible() // an ancestor of what was found
    await expect(node(target)).toBeHidden()
    await page.getByPlaceholder('查找组织').fill('没有这个组织')
    await expect(tree.getByText('未找到组织')).toBeVisible()
    await page.getByPlaceholder('查找组织').fill('')
  })

  test('ORG-12 ORG-13 ORG-14 the map is centred on the organisation, its flag opens the card, the list leads to those below', async () => {
    const outside: string[] = []
    page.on('request', (r) => { if (!r.url().startsWith(new URL(page.url()).origin) && /^https?:/.test(r.url())) outside.push(r.url()) })
    await open(page, '党组织管理')
    await page.getByPlaceholder('请输入组织名称').fill(String(stamp))
    await page.getByRole('button', { name: '查询' }).click()
    await act(row(page, general).filter({ hasText: '党总支' }).first(), '组织地图')
    const dialog = page.getByRole('dialog')
    await expect(dialog.locator('.party-flag')).toHaveCount(2)
    const box = (await dialog.locator('.ground').boundingBox())!
    const flag = (await dialog.locator(`.party-flag[title="${general}"]`).boundingBox())!
    expect(Math.abs(flag.x - box.x - box.width / 2)).toBeLessThan(60)
    expect(Math.abs(flag.y - box.y - box.height / 2)).toBeLessThan(60)
    await dialog.locator(`.party-flag[title="${general}"]`).click()
    const card = dialog.locator('.org-card')
    for (const text of [general, '李书记', '王干事', '13800138000', '示范路9号', '—']) await expect(card).toContainText(text)
    await expect(dialog.getByRole('navigation').getByRole('button', { name: bare })).toBeDisabled()
    await dialog.getByRole('navigation').getByRole('button', { name: branch }).click()
    await expect(dialog.locator('.org-card').filter({ hasText: branch })).toBeVisible()
    await page.screenshot({ path: 'test-results/org-map.png' })
    await page.keyboard.press('Escape')
    await expect(dialog).toBeHidden()
    await act(row(page, bare).first(), '组织地图')
    await expect(page.getByText('该组织未设置位置信息')).toBeVisible()
    await page.keyboard.press('Escape')
    expect(outside).toEqual([])
  })

  test('ELEC-03 LEAD-02 ORG-05 an election and its people are entered, and shown as the present leadership', async () => {
    await open(page, '组织换届')
    await page.getByRole('button', { name: '添加' }).click()
    const form = page.getByRole('dialog', { name: '新增组织换届' })
    await form.locator('[data-field=orgId] input').fill(branch)
    await page.getByRole('option', { name: branch, exact: true }).click()
    await form.locator('[data-field=electionForm] .el-select').click()
    await page.getByRole('option', { name: '党员大会选举' }).click()
    await form.locator('[data-field=electedOn] input').fill('2024-05-01')
    await form.locator('[data-field=electedOn] input').press('Enter')
    await expect(form.locator('[data-field=termYears] input')).toHaveValue('3') // a branch's term
    await form.getByRole('button', { name: '确定' }).click()
    await expect(form).toBeHidden()
    const election = row(page, branch)
    await expect(election.first()).toContainText('2027-05-01')
    await act(election.first(), '领导班子')
    const drawer = page.locator('.el-drawer:visible').last()
    await drawer.getByRole('button', { name: '添加' }).click()
    const person = page.getByRole('dialog').filter({ hasText: '新增领导班子成员' })
    await person.locator('[data-field=name] input').fill('孙书记')
    await person.locator('[data-field=position] .el-select').click()
    await page.getByRole('option', { name: '书记', exact: true }).click()
    await person.getByRole('button', { name: '确定' }).click()
    await expect(drawer.locator('.el-table__row')).toContainText('孙书记')
    await drawer.locator('.el-drawer__close-btn').click()
    await open(page, '党组织管理')
    await page.getByPlaceholder('请输入组织名称').fill(branch)
    await page.getByRole('button', { name: '查询' }).click()
    await act(row(page, branch).first(), '领导班子')
    await expect(page.getByRole('dialog').getByText('2024-05-01 至 2027-05-01')).toBeVisible()
    await expect(page.getByRole('dialog').getByText('孙书记')).toBeVisible()
    await page.keyboard.press('Escape')
  })

  test('OTRF-02 TREE-05 an organisation is moved; list and tree show it', async () => {
    await open(page, '整建制转移')
    await page.getByRole('button', { name: '组织迁移' }).click()
    const form = page.getByRole('dialog').filter({ hasText: '新增组织迁移' })
    await form.getByRole('button', { name: '确定' }).click()
    await expect(form.getByText('请填写迁移组织')).toBeVisible()
    const choose = async (label: string, name: string) => {
      const input = form.locator('.el-form-item', { hasText: label }).locator('input')
      await input.click()
      await input.fill(name)
      await page.getByRole('option', { name, exact: true }).click() // a list that is closing is no longer one
    }
    await choose('迁移组织', branch)
    await choose('新上级组织', target)
    await form.getByRole('button', { name: '确定' }).click()
    await page.locator('.el-message-box').getByRole('button', { name: '确定' }).click()
    await expect(row(page, branch).first()).toContainText('已完成')
    const { nodes } = await (await page.request.get('/api/console/tree')).json()
    expect(nodes.find((n: { id: string }) => n.id === ids.branch).parentId).toBe(ids.target)
    await page.getByRole('tab', { name: '组织', exact: true }).click()
    const under = page.locator('.side .el-tree-node', { has: page.locator(`[title="${target}"]`) }).last()
    await expect(under.locator(`[title="${branch}"]`)).toBeVisible()
    await page.screenshot({ path: 'test-results/transfer.png' })
  })
})

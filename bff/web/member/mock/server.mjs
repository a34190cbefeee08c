// A stand-in for the product while pages are drawn: node mock/server.mjs [PORT] serves
// dist/ at /m/ with invented answers. STATE=unbound|empty|error shows the other sides.
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'

const port = Number(process.argv[2] ?? 18083)
const side = process.env.STATE ?? ''
const dist = new URL('../dist/', import.meta.url).pathname
const KINDS = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.png': 'image/png' }
const at = Date.parse('2026-11-22T09:30:00+08:00')
const item = (month) => ({ month, baseAmount: 600000, rate: 100, payable: 6000, reduction: 0, due: 6000 })
const order = { id: 'o1', orderNo: 'DF202611220001', fromMonth: '2026-07', toMonth: '2026-08', amount: 12000, status: 'paid', payMethod: 'wechat', createdAt: at, paidAt: at }
const some = (list) => (side === 'empty' ? [] : list)
const meeting = { id: 'm1', title: '2026年第四季度支部党员大会暨主题党日活动', state: 'running', startAt: at, endAt: at + 7200e3, place: '党群服务中心三楼会议室', agenda: '一、学习文件\n二、讨论发言\n三、民主评议', orgName: '机关第一党支部', needSignIn: true, signedInAt: 0, meetingForm: 'offline', host: '张建国' }

const answers = {
  'GET /api/portal/config': () => ({ sandbox: true, name: '智慧党建' }),
  'GET /api/member/me': () => ({ realName: '欧阳建国', orgName: '机关第一党支部', memberId: 'p2', bound: side !== 'unbound' }),
  'GET /api/member/notifications': () => ({ unread: 2, notifications: some([{ id: 'n1', title: '会议通知', content: '您有一场会议即将开始：第四季度支部党员大会', targetType: 'meeting', targetId: 'm1', createdAt: at, readAt: 0 }, { id: 'n2', title: '党费缴纳成功', content: '您已缴纳 2026 年 7 月至 8 月党费 120.00 元', targetType: 'duesOrder', targetId: 'o1', createdAt: at, readAt: at }]) }),
  'GET /api/member/dues': () => ({ paidThrough: '2026-08', items: some(['2026-09', '2026-10', '2026-11'].map(item)), ahead: ['2026-12', '2027-01'].map(item), amount: side === 'empty' ? 0 : 18000, message: '', orders: some([{ ...order, id: 'o2', status: 'unpaid', fromMonth: '2026-09', toMonth: '2026-09', amount: 6000, paidAt: 0, payMethod: '' }, order]) }),
  'POST /api/member/dues/pay': () => ({ order: { ...order, status: 'unpaid' }, appId: 'wx', timeStamp: '1', nonceStr: 'n', packageValue: 'prepay_id=1', signType: 'RSA', paySign: 's' }),
  'GET /api/member/dues/orders/o1': () => order,
  'GET /api/member/dues/orders/o2': () => ({ ...order, status: 'unpaid', paidAt: 0 }),
  'GET /api/member/meetings': () => ({ meetings: some([meeting, { ...meeting, id: 'm2', title: '党课：学习贯彻全会精神', state: 'waiting' }, { ...meeting, id: 'm3', title: '十月支部委员会', state: 'ended', signedInAt: at }]) }),
  'GET /api/member/meetings/m1': () => meeting,
  'GET /api/member/points': () => ({ score: 1250, rank: 3, of: 28, year: 2026, entries: some([{ itemLabel: '按时缴纳党费', score: 500, earnedAt: at, source: '2026年8月党费' }, { itemLabel: '参加会议', score: 250, earnedAt: at, source: '十月支部委员会' }]) }),
  'GET /api/member/ranking': () => ({ year: 2026, total: 5, rows: some([['p1', '王秀英'], ['p2', '欧阳建国'], ['p3', '李军'], ['p4', '张伟'], ['p5', '刘洋']].map(([id, name], i) => ({ rank: i + 1, id, name, score: 2000 - 250 * i }))) }),
  'GET /api/member/profile': () => ({ name: '欧阳建国', gender: 'male', idNumber: '9901**********1234', phone: '138****5678', orgName: '机关第一党支部', memberType: 'formal', duesPaidThrough: '2026-08', committeeName: '某某集团有限公司委员会', birthDate: '1980-05-12', joinedOn: '2005-07-01' }),
  'GET /api/member/organization': () => ({ orgName: '机关第一党支部', orgType: 'branch', orgNames: ['某某集团有限公司委员会', '机关党总支', '机关第一党支部'], secretary: '郑文博', contactName: '郑文博', contactPhone: '19900008102', address: '示范市人民路1号2号楼', memberCount: 34 }),
  'GET /api/member/organization/points': () => ({ score: 12500, rank: 1, of: 3, year: 2026, entries: [{ item: 'dues', itemLabel: '党费缴纳', score: 500, earnedAt: Date.now(), source: '2026-11' }] }),
  'POST /api/member/sign-in': () => ({ title: meeting.title, signedInAt: at, already: false, message: '', place: meeting.place }),
  'POST /api/member/bind-code': () => ({ retryAfter: 60 })
}

createServer(async (req, res) => {
  const path = new URL(req.url, 'http://x').pathname
  if (path.startsWith('/api/')) {
    const answer = answers[`${req.method} ${path}`]
    const failed = side === 'error' && !path.endsWith('/me') ? 500 : 0
    res.writeHead(failed || (answer ? 200 : 404), { 'Content-Type': 'application/json' })
    return res.end(JSON.stringify(failed ? { message: '服务暂时不可用' } : answer?.() ?? { message: '未找到' }))
  }
  const file = path.replace(/^\/m\//, '') || 'index.html'
  try {
    const body = await readFile(join(dist, file))
    res.writeHead(200, { 'Content-Type': KINDS[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'" })
    res.end(body)
  } catch {
    res.writeHead(404).end()
  }
}).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/m/`))

// Conversions between what the interface says and what people read. Money is fen, whole numbers,
// and converted digit by digit, so that no float ever rounds; times are those of Shanghai, which
// knows no summer time, wherever the reader is.

/** Fen as yuan with two decimals: 150 → "1.50"; nothing is "". */
export function yuan(fen: unknown): string {
  if (fen === null || fen === undefined || fen === '') return ''
  const text = String(fen).split('.')[0]
  const digits = text.replace('-', '').padStart(3, '0')
  return `${text.startsWith('-') ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** A rate in 1/10,000 as percent: 150 → "1.5%", 0 → 定额; records carry it in words already. */
export function percent(rate: unknown): string {
  if (typeof rate === 'string') return rate
  if (rate === null || rate === undefined) return ''
  if (rate === 0) return '定额'
  return `${yuan(rate).replace(/\.?0+$/, '')}%`
}

/** Hundredths of a point without needless zeros: 250 → "2.5". */
export const score = (hundredths: unknown) => yuan(hundredths ?? 0).replace(/\.?0+$/, '')

const two = (n: number) => String(n).padStart(2, '0')

/** The wall clock of Shanghai at a moment (RFC 3339 or Unix milliseconds); undefined for none. */
function shanghai(at: unknown) {
  if (!at || (typeof at === 'string' && at.startsWith('0001-'))) return undefined
  const ms = typeof at === 'number' ? at : Date.parse(String(at))
  if (!(ms > 0) && !(ms < 0)) return undefined
  const d = new Date(ms + 8 * 3_600_000)
  return {
    date: `${String(d.getUTCFullYear()).padStart(4, '0')}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`,
    minute: `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`,
    second: two(d.getUTCSeconds())
  }
}

/** A moment as "yyyy-MM-dd HH:mm:ss"; none is "", and what is no moment stays as it is. */
export function time(at: unknown): string {
  const s = shanghai(at)
  if (s) return `${s.date} ${s.minute}:${s.second}`
  return typeof at === 'string' && !at.startsWith('0001-') ? at : ''
}

/** The same without the seconds. */
export const minute = (at: unknown) => time(at).slice(0, 16)

/** Its day, yyyy-MM-dd. */
export const day = (at: unknown) => time(at).slice(0, 10)

/** A text that time or minute wrote, as RFC 3339; null for none. */
export const moment = (text: string) => (text ? `${text.replace(' ', 'T')}+08:00` : null)

/** From – to, the day said once where it is the same. */
export function period(from: unknown, to: unknown): string {
  const [a, b] = [shanghai(from), shanghai(to)]
  return a && b ? `${a.date} ${a.minute} 至 ${a.date === b.date ? '' : `${b.date} `}${b.minute}` : minute(from)
}

/** The months of an order: 2026-03, or 2026-03 至 2026-05. */
export const months = (from: string, to: string) => (from === to ? from : `${from} 至 ${to}`)

/** 2026-03 → 2026年3月 */
export function month(yyyyMM: string): string {
  const [year, m] = (yyyyMM || '').split('-')
  return m ? `${year}年${Number(m)}月` : '—'
}

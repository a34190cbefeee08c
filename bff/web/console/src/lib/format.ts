import { serverNow } from '@/api/client'

// Conversions between what the API says and what people read. Money is fen, whole
// numbers, and converted digit by digit, so that no float ever rounds.

/** Fen as yuan with two decimals: 150 → "1.50". */
export function yuan(fen: unknown): string {
  if (fen === null || fen === undefined || fen === '') return ''
  const n = BigInt(String(fen).split('.')[0])
  const digits = (n < 0n ? -n : n).toString().padStart(3, '0')
  return `${n < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

/** A rate in 1/10,000 as percent: 150 → "1.5%"; records carry it in words already. */
export function percent(rate: unknown): string {
  if (typeof rate === 'string') return rate
  if (rate === null || rate === undefined) return ''
  if (rate === 0) return '定额'
  return `${yuan(rate).replace(/\.?0+$/, '')}%`
}

/** Hundredths of a point without needless zeros: 250 → "2.5". */
export function score(hundredths: unknown): string {
  return yuan(hundredths ?? 0).replace(/\.?0+$/, '')
}

const clock = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'Asia/Shanghai', dateStyle: 'short', timeStyle: 'medium',
})

/** A moment (RFC 3339 or Unix milliseconds) as "yyyy-MM-dd HH:mm:ss" in China; zero times are empty. */
export function time(at: unknown): string {
  if (!at || (typeof at === 'string' && at.startsWith('0001-'))) return ''
  const d = new Date(at as string | number)
  return Number.isNaN(d.getTime()) ? String(at) : clock.format(d)
}

/** The same, as RFC 3339, for a text that `time` wrote. */
export const moment = (text: string) => (text ? `${text.replace(' ', 'T')}+08:00` : null)

/** The months of an order. */
export const span = (from: string, to: string) => (from === to ? from : `${from} 至 ${to}`)

/** Today in China by the server's clock, yyyy-MM-dd. */
export const today = () => time(serverNow()).slice(0, 10)

// Amounts are fen, scores hundredths of a point, times Unix milliseconds.

/** 6500 → "65.00" */
export const yuan = (fen: number) => (fen / 100).toFixed(2)

/** 150 → "1.5" */
export const points = (hundredths: number) => String(Math.round(hundredths) / 100)

/** 50 → "0.5%": rates are 1/10,000 */
export const percent = (rate: number) => `${rate / 100}%`

/** 2026-03 → 2026年3月 */
export function month(yyyyMM: string) {
  const [year, m] = (yyyyMM || '').split('-')
  return m ? `${year}年${Number(m)}月` : '—'
}

const two = (n: number) => String(n).padStart(2, '0')

/** The wall clock of Shanghai, which knows no summer time, wherever the phone is. */
function shanghai(ms: number) {
  const d = new Date(ms + 8 * 3_600_000)
  return {
    date: `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`,
    time: `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`,
    seconds: two(d.getUTCSeconds())
  }
}

export const date = (ms: number) => (ms > 0 ? shanghai(ms).date : '—')

export function dateTime(ms: number) {
  if (!(ms > 0)) return '—'
  const s = shanghai(ms)
  return `${s.date} ${s.time}`
}

export const clock = (ms: number) => `${dateTime(ms)}:${shanghai(ms).seconds}`

/** From–to, the day said once where it is the same. */
export function span(from: number, to: number) {
  const [a, b] = [shanghai(from), shanghai(to)]
  return `${a.date} ${a.time} 至 ${a.date === b.date ? '' : b.date + ' '}${b.time}`
}

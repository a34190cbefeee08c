// What people type or paste, brought into the form that the server takes. The server is the
// judge: what is not understood here is refused at the field, never guessed.

/** Full-width characters as plain ones, without blanks and invisible characters. */
const plain = (text: string) => text.normalize('NFKC').replace(/[\s\p{Cf}]/gu, '')

const number = String.raw`(\d{1,2})`
const year = String.raw`((?:1[89]|20|21)\d{2})`
const days = [new RegExp(`^${year}([-/.])${number}\\2${number}$`), new RegExp(`^${year}()年${number}月${number}日$`), new RegExp(`^${year}()(\\d{2})(\\d{2})$`)]
const months = [new RegExp(`^${year}([-/.])${number}$`), new RegExp(`^${year}()年${number}月$`), new RegExp(`^${year}()(\\d{2})$`)]
const two = (n: number | string) => String(n).padStart(2, '0')

/** A day as people write it (2024-07-01, 2024/7/1, 2024.7.1, 2024年7月1日, 20240701) as
 * yyyy-MM-dd; undefined for one that the calendar does not have. */
export function readDay(text: string): string | undefined {
  const m = match(days, plain(text).replace(/[－—–−]/g, '-'))
  if (!m) return undefined
  const [, y, , month, day] = m
  const d = new Date(Date.UTC(Number(y), Number(month) - 1, Number(day)))
  return d.getUTCMonth() === Number(month) - 1 && d.getUTCDate() === Number(day) ? `${y}-${two(month)}-${two(day)}` : undefined
}

/** A month likewise, as yyyy-MM. */
export function readMonth(text: string): string | undefined {
  const m = match(months, plain(text).replace(/[－—–−]/g, '-'))
  return m && Number(m[3]) >= 1 && Number(m[3]) <= 12 ? `${m[1]}-${two(m[3])}` : undefined
}

/** A time of day (9:05, 09:05:00, 9：05) as HH:mm. */
export function readClock(text: string): string | undefined {
  const [, hour, minute] = /^(\d{1,2}):(\d{2})(?::\d{2})?$/.exec(plain(text)) ?? []
  return hour && Number(hour) < 24 && Number(minute) < 60 ? `${two(hour)}:${minute}` : undefined
}

/** A day and a time of it, as yyyy-MM-dd HH:mm; without a time it is midnight. */
export function readTime(text: string): string | undefined {
  const [, day, clock] = /^(.*?)(?:[ T]+(\d{1,2}:\d{2}(?::\d{2})?))?$/.exec(text.normalize('NFKC').trim()) ?? []
  const found = [readDay(day ?? ''), readClock(clock ?? '00:00')]
  return found.every(Boolean) ? found.join(' ') : undefined
}

const readers: Record<string, (text: string) => string | undefined> = { date: readDay, month: readMonth, datetime: readTime }
/** How a type of field, or a range of it, is read. */
export const reader = (type: string) => readers[type.replace('range', '')]
const examples: Record<string, [string, string]> = { month: ['年月', '2024-07'], clock: ['时间', '09:30'] }
/** What is said of a text that is no date of a type. */
export function notUnderstood(type: string, text: string) {
  const [what, like] = examples[type.replace('range', '')] ?? ['日期', '2024-07-01']
  return `“${text}”不是有效的${what}，请按${like}的格式填写`
}

/** Why what stands in a form is no value of its field; undefined for what the server may judge. */
export function misread(field: { type: string }, value: unknown): string | undefined {
  if (typeof value !== 'string' || !value) return undefined
  if (field.type === 'money') return '请输入正确的金额，最多两位小数'
  return reader(field.type) && !reader(field.type)(value) ? notUnderstood(field.type, value) : undefined
}

function match(patterns: RegExp[], text: string) {
  for (const p of patterns) {
    const m = p.exec(text)
    if (m) return m
  }
}

/** A phone number without what people write around it: blanks, +86, hyphens of a mobile
 * number. Masked ones and the hyphens of landlines stay. */
export function foldPhone(text: string): string {
  const t = plain(text).replace(/[－—–−‐]/g, '-')
  const bare = t.replace(/[-()]/g, '').replace(/^(?:\+?86|0086)(?=1\d{10}$)/, '')
  return /^1\d{10}$/.test(bare) ? bare : t
}

/** An ID number in one piece, its check character in upper case. */
export const foldID = (text: string) => plain(text).replace(/[-－—–−‐]/g, '').toUpperCase()

/** A yuan text as fen, as imports read it (￥5,000, ５０００, 8.5E3), or undefined when it is not an
 * amount with at most two decimals. */
export function fen(text: string): number | undefined {
  let s = text.normalize('NFKC').replace(/[¥元\s]/g, '')
  if (/^\d{1,3}(,\d{3})+(\.\d*)?$/.test(s)) s = s.replace(/,/g, '')
  const m = /^(\d+)(?:\.(\d*))?(e[+-]?\d{1,2})?$/i.exec(s)
  // Excel writes powers of ten, and errs in the sixteenth digit.
  if (m && (m[3] || (m[2] && m[1].length + m[2].length > 15))) s = String(Number(Number(s).toPrecision(15)))
  const [, whole, part = ''] = (m && /^(\d{1,12})(?:\.(\d*?)0*)?$/.exec(s)) ?? []
  return whole && part.length <= 2 ? Number(whole + part.padEnd(2, '0')) : undefined
}

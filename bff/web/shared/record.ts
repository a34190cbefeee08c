// What both clients do with the fields of a record, whatever its type.
import { minute, percent, time, yuan } from './format'
import type { Field, FileRef, Row, Values } from './types'

/** Text of HTML, which nothing is drawn from. */
const plain = (html: string) => html.replace(/<[^>]*>/g, ' ')
  .replace(/&nbsp;/g, ' ').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&#3[49];/g, (q) => (q === '&#34;' ? '"' : "'")).replace(/&amp;/g, '&')
  .replace(/\s+/g, ' ').trim()

/** One field of a record in words; "" for nothing. */
export function show(field: Field, row: Row): string {
  const label = row._labels?.[field.key]
  if (label) return label
  const v = row[field.key]
  if (v === null || v === undefined || v === '') return ''
  const option = (x: unknown) => field.options?.find((o) => o.value === String(x))?.label ?? String(x)
  if (field.key === 'rate') return percent(v)
  switch (field.type) {
    case 'money': return typeof v === 'string' ? v : yuan(v) // a wage is shown masked
    case 'datetime': return field.seconds ? time(v) : minute(v)
    case 'bool': return v ? '是' : '否'
    case 'enum': return option(v)
    case 'enums': return (v as unknown[]).map(option).join('、')
    case 'files':
    case 'image': return filesOf(v).map((x) => x.name).join('、')
    case 'richtext': return plain(String(v))
    case 'refs': return '' // of nobody that is known
    case 'permissions': return (v as string[]).includes('*') ? '全部权限' : (v as string[]).join('、')
    default: return Array.isArray(v) ? v.map(String).join('、') : String(v).trim()
  }
}

/** The tag colour of a state, if the field is one. */
export const tag = (field: Field, row: Row) => field.options?.find((o) => o.value === String(row[field.key]))?.color

/** Whether a form holds nothing for a field; blanks are nothing. */
export const blank = (v: unknown) => v === undefined || v === null || (typeof v === 'string' && !v.trim()) || (Array.isArray(v) && !v.length)

/** Whether a field applies to a record as it stands. */
export const applies = (field: Field, row: Values) => !field.showIf || field.showIf.in.includes(String(row[field.showIf.field] ?? ''))

/** Whether a draft may hold a field of a form: nothing personal, no password, no uploads. */
export const keeps = (f: Field) => f.form && !f.personal && !['password', 'phone', 'idNumber', 'files', 'image', 'permissions'].includes(f.type)

export const isFiles = (f: Field) => f.type === 'files' || f.type === 'image'
export const filesOf = (v: unknown): FileRef[] => (Array.isArray(v) ? v : v && typeof v === 'object' ? [v as FileRef] : [])

/** Whether a value is personal and shown in part only, such as 138****8000. */
export const masked = (f: Field, row?: Row) => (f.type === 'phone' || f.type === 'idNumber') && String(row?.[f.key] ?? '').includes('*')

const chosen = ['enum', 'enums', 'ref', 'refs', 'date', 'month', 'datetime', 'bool', 'permissions']

/** What is wrong before anything is sent: the fields that are required and empty. What is masked stays as it is while nothing is typed. */
export function missing(fields: Field[], values: Values, row?: Row): Record<string, string> {
  const wrong: Record<string, string> = {}
  for (const f of fields) {
    if (!f.required || !applies(f, values) || masked(f, row) || !blank(values[f.key])) continue
    wrong[f.key] = `请${chosen.includes(f.type) ? '选择' : isFiles(f) ? '上传' : '填写'}${f.label}`
  }
  return wrong
}

import type { Field, FileRef, Row } from '@/api/types'
import { percent, time, yuan } from './format'

/** One field of a record in words. */
export function show(field: Field, row: Row): string {
  const label = row._labels?.[field.key]
  if (label) return label
  const v = row[field.key]
  if (v === null || v === undefined || v === '') return ''
  const option = (x: unknown) => field.options?.find((o) => o.value === String(x))?.label ?? String(x)
  if (field.key === 'rate') return percent(v)
  switch (field.type) {
    case 'money': return typeof v === 'string' ? v : yuan(v) // a wage is shown masked
    case 'datetime': return time(v)
    case 'bool': return v ? '是' : '否'
    case 'enum': return option(v)
    case 'enums': return (v as unknown[]).map(option).join('、')
    case 'files':
    case 'image': return (v as FileRef[]).map((x) => x.name).join('、')
    case 'richtext': return new DOMParser().parseFromString(String(v), 'text/html').body.textContent?.trim() ?? ''
    case 'refs': return '' // of nobody that is known
    case 'permissions': return (v as string[]).includes('*') ? '全部权限' : (v as string[]).join('、')
    default: return Array.isArray(v) ? v.join('、') : String(v)
  }
}

/** The tag colour of a state, if the field is one. */
export const tag = (field: Field, row: Row) => field.options?.find((o) => o.value === String(row[field.key]))?.color

/** Whether a form holds nothing for a field; blanks are nothing. */
export const blank = (v: unknown) => v === undefined || v === null || (typeof v === 'string' && !v.trim()) || (Array.isArray(v) && !v.length)

/** Whether a field applies to a record as it stands. */
export const applies = (field: Field, row: Record<string, any>) =>
  !field.showIf || field.showIf.in.includes(String(row[field.showIf.field] ?? ''))

/** Whether a draft may hold a field of a form: nothing personal, no password, no uploads. */
export const keeps = (f: Field) => f.form && !f.personal && !['password', 'phone', 'idNumber', 'files', 'image', 'permissions'].includes(f.type)

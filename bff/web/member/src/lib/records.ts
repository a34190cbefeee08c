// The record types a member may see: what the server's schemas and rows look like, and how
// their values read. The pages under pages/records show any of them.
import { ApiError, BASE, get, getContent, patient, post, request } from './api'
import { dateTime, yuan } from './format'
import { token } from './session'

export interface Option { value: string; label: string }
export interface Field {
  key: string
  label: string
  type: string
  required?: boolean
  options?: Option[]
  ref?: string
  list: boolean
  form: boolean
  fixed?: boolean
  readonly?: boolean
  help?: string
  max?: number
  min?: number
  accept?: string[]
  personal?: boolean
  showIf?: { field: string; in: string[] }
}
export interface Action { key: string; title: string; confirm?: string; fields?: Field[] }
export interface Schema { type: string; title: string; fields: Field[]; permissions: Record<string, boolean>; actions?: Action[] | null }
export interface Row { id: string; version: number; _labels?: Record<string, string>; _actions?: string[] | null; [key: string]: unknown }
export interface Rows { items: Row[] | null; total: number }
export interface FileInfo { id: string; name: string; size: number; contentType: string }
export interface AspectScore { aspect: string; score: number }
export type Values = Record<string, unknown>

/** Rows of a page of the list. */
export const SIZE = 20

/** The address of the list of a type, or of several side by side; `single`: there is at most one record; `empty`: what an empty one says. */
export const listOf = (types: string, title: string, single = false, empty = '') =>
  `/pages/records/list?type=${types}&title=${encodeURIComponent(title)}${single ? '&single=1' : ''}${empty ? `&empty=${encodeURIComponent(empty)}` : ''}`
/** The address of one record. */
export const pageOf = (type: string, id: string) => `/pages/records/detail?type=${type}&id=${id}`

const base = (type: string) => `/api/member/records/${type}`
export const schemaOf = (type: string) => get<Schema>(`${base(type)}/schema`)
export const rowsOf = (type: string, page = 1, size = SIZE, keyword = '') =>
  get<Rows>(`${base(type)}?page=${page}&size=${size}${keyword ? `&keyword=${encodeURIComponent(keyword)}` : ''}`)
export const rowOf = (type: string, id: string) => getContent<Row>(`${base(type)}/${id}`)
/** Adds a record, or changes it; once for each key. */
export const save = (type: string, values: Values, key: string, id?: string) =>
  request<Row>(id ? `${base(type)}/${id}` : base(type), { method: id ? 'PUT' : 'POST', data: values, key })
export const remove = (type: string, id: string) => post(`${base(type)}/delete`, { ids: [id] })
export const act = (type: string, id: string, action: string, values: Values = {}) => post<Row>(`${base(type)}/${id}/actions/${action}`, values)

/** The choices of a reference field. */
export async function choices(ref: string): Promise<Option[]> {
  const { items } = await rowsOf(ref, 1, 100)
  return (items ?? []).map((r) => ({ value: r.id, label: String(r.name ?? r.title ?? r.id) }))
}

/** Where a file of a record is, for images of H5; the mini-program downloads it with its token. */
export const fileUrl = (type: string, id: string, file: FileInfo) => `${BASE}${base(type)}/files/${file.id}?id=${id}`

/** An address of a file that needs no session, for a few minutes. */
export const linkOf = async (type: string, id: string, file: FileInfo) =>
  (await post<{ url: string }>(`${base(type)}/files/${file.id}/link?id=${id}`, {}, true)).url

/** The file on the phone, downloaded as the one who may see it. */
export function download(url: string): Promise<string> {
  return new Promise((resolve, reject) =>
    uni.downloadFile({
      url,
      header: token() ? { Authorization: `Bearer ${token()}` } : {},
      success: (r) => (r.statusCode === 200 ? resolve(r.tempFilePath) : reject(new ApiError(r.statusCode, 'file', '文件加载失败，请重试'))),
      fail: () => reject(new ApiError(0, 'network', '网络不给力，请稍后重试'))
    })
  )
}

/** Brings a picture of the phone to the server, waiting where it is crowded. */
export const upload = (type: string, field: string, path: string): Promise<FileInfo> => patient(() => send(type, field, path))

const CROWDED = 3000 // Retry-After is not shown to uploads in WeChat

function send(type: string, field: string, path: string): Promise<FileInfo> {
  return new Promise((resolve, reject) =>
    uni.uploadFile({
      url: `${BASE}${base(type)}/upload?field=${field}`,
      filePath: path,
      name: 'file',
      header: { 'X-Requested-With': 'zhihuidangjian', ...(token() ? { Authorization: `Bearer ${token()}` } : {}) },
      success: ({ statusCode, data }) => {
        let body: Record<string, unknown> = {}
        try {
          body = JSON.parse(data)
        } catch {
          // not the product's answer: the status tells
        }
        if (statusCode >= 200 && statusCode < 300) return resolve(body as unknown as FileInfo)
        const key = String(body.key ?? '')
        reject(new ApiError(statusCode, key, String(body.message ?? '上传失败，请重试'), {}, key === 'upload.busy' ? CROWDED : 0))
      },
      fail: () => reject(new ApiError(0, 'network', '网络不给力，请稍后重试'))
    })
  )
}

/** Whether a field applies to these values. */
export const applies = (f: Field, values: Values) => !f.showIf || f.showIf.in.includes(String(values[f.showIf.field] ?? ''))

export const isFiles = (f: Field) => f.type === 'files' || f.type === 'image'
export const filesOf = (v: unknown): FileInfo[] => (Array.isArray(v) ? v : v && typeof v === 'object' ? [v as FileInfo] : [])

/** A value as people read it. */
export function show(f: Field, row: Row): string {
  const v = row[f.key]
  const label = row._labels?.[f.key]
  if (label) return label
  if (v === undefined || v === null || v === '') return ''
  if (f.options) return (Array.isArray(v) ? v : [v]).map((one) => f.options!.find((o) => o.value === one)?.label ?? String(one)).join('、')
  switch (f.type) {
    case 'money': return typeof v === 'string' ? v : `${yuan(Number(v))} 元`
    case 'bool': return v ? '是' : '否'
    case 'datetime': return dateTime(typeof v === 'number' ? v : Date.parse(String(v)))
    case 'richtext': return String(v).replace(/<[^>]*>/g, ' ').replace(/&nbsp;/g, ' ').replace(/\s+/g, ' ').trim()
  }
  return Array.isArray(v) ? v.map(String).join('、') : String(v).trim()
}

/** Whether a value is personal and shown in part only, such as 138****8000. */
export const masked = (f: Field, row?: Row) => (f.type === 'phone' || f.type === 'idNumber') && String(row?.[f.key] ?? '').includes('*')

/** What is wrong before anything is sent: the fields that are required and empty. What is masked stays as it is while nothing is typed. */
export function missing(fields: Field[], values: Values, row?: Row): Record<string, string> {
  const wrong: Record<string, string> = {}
  for (const f of fields) {
    const v = values[f.key]
    if (!f.required || !applies(f, values) || masked(f, row)) continue
    if (v === undefined || v === null || (typeof v === 'string' && !v.trim()) || (Array.isArray(v) && !v.length)) {
      wrong[f.key] = `请${['enum', 'enums', 'ref', 'refs', 'date', 'month', 'datetime', 'bool'].includes(f.type) ? '选择' : isFiles(f) ? '上传' : '填写'}${f.label}`
    }
  }
  return wrong
}

/** The colour of a state's tag. */
export const tone = (state: unknown) => (state === 'approved' ? 'green' : state === 'rejected' ? 'red' : '')

// The record types a member may see, on the way to the server and back. The pages under
// pages/records show any of them.
import { ApiError, BASE, get, getContent, patient, post, request } from './api'
import type { FileRef, List, Option, PhoneEntry, Row, Schema, Values } from '@shared/types'
import { token } from './session'

/** Rows of a page of the list. */
export const SIZE = 20

/** The address of the list of a type, or of several side by side; `single`: there is at most one record; `empty`: what an empty one says. */
export const listOf = (types: string, title: string, single = false, empty = '') =>
  `/pages/records/list?type=${types}&title=${encodeURIComponent(title)}${single ? '&single=1' : ''}${empty ? `&empty=${encodeURIComponent(empty)}` : ''}`
/** The address of one record. */
export const pageOf = (type: string, id: string) => `/pages/records/detail?type=${type}&id=${id}`

const base = (type: string) => `/api/member/records/${type}`
export const schemaOf = (type: string) => get<Schema>(`${base(type)}/schema`)
export const rowsOf = (type: string, page = 1, size = SIZE, keyword = '', filters: Record<string, string> = {}) =>
  get<List>(`${base(type)}?page=${page}&size=${size}${keyword ? `&keyword=${encodeURIComponent(keyword)}` : ''}${Object.entries(filters).filter(([, v]) => v).map(([k, v]) => `&f.${k}=${encodeURIComponent(v)}`).join('')}`)
export const rowOf = (type: string, id: string) => getContent<Row>(`${base(type)}/${id}`)
/** Adds a record, or changes it; once for each key. */
export const save = (type: string, values: Values, key: string, id?: string) =>
  request<Row>(id ? `${base(type)}/${id}` : base(type), { method: id ? 'PUT' : 'POST', data: values, key })
export const remove = (type: string, id: string) => post(`${base(type)}/delete`, { ids: [id] })
export const act = (type: string, id: string, action: string, values: Values = {}) => post<Row>(`${base(type)}/${id}/actions/${action}`, values)

const MOST = 100
/** The choices of a reference field; undefined when there are more than a list shows, which are searched. */
export async function choices(ref: string): Promise<Option[] | undefined> {
  if (ref === 'organization') return undefined
  const { items, total } = await rowsOf(ref, 1, MOST)
  return total > MOST ? undefined : (items ?? []).map((r) => ({ value: r.id, label: String(r.name ?? r.title ?? r.id) }))
}

/** Pictures of the phone; none when nobody chose. */
export const choosePictures = (count: number) => uni.chooseImage({ count }).then((r) => [...r.tempFilePaths], () => [] as string[])

/** Documents: of WeChat's messages in the mini-program, of the phone in a browser. */
export function chooseDocuments(count: number): Promise<string[]> {
  return new Promise((resolve) => {
    const done = (r: { tempFiles: unknown }) => resolve((r.tempFiles as { path?: string; tempFilePath?: string }[]).map((f) => f.path ?? f.tempFilePath ?? '').filter(Boolean))
    // #ifdef MP-WEIXIN
    uni.chooseMessageFile({ count, type: 'all', success: done, fail: () => resolve([]) })
    // #endif
    // #ifdef H5
    uni.chooseFile({ count, success: (r) => resolve([...(r.tempFilePaths as string[])]), fail: () => resolve([]) })
    // #endif
  })
}

/** Where a file of a record is, for images of H5; the mini-program downloads it with its token. */
export const fileUrl = (type: string, id: string, file: FileRef) => `${BASE}${base(type)}/files/${file.id}?id=${id}`

/** An address of a file that needs no session, for a few minutes. */
export const linkOf = async (type: string, id: string, file: FileRef) =>
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
export const upload = (type: string, field: string, path: string): Promise<FileRef> => patient(() => send(type, field, path))

const CROWDED = 3000 // Retry-After is not shown to uploads in WeChat

function send(type: string, field: string, path: string): Promise<FileRef> {
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
        if (statusCode >= 200 && statusCode < 300) return resolve(body as unknown as FileRef)
        const key = String(body.key ?? '')
        reject(new ApiError(statusCode, key, String(body.message ?? '上传失败，请重试'), {}, key === 'upload.busy' ? CROWDED : 0))
      },
      fail: () => reject(new ApiError(0, 'network', '网络不给力，请稍后重试'))
    })
  )
}

/** The colour of a tag on the phone, by that of its option. */
export const tone = (color?: string) => (color === 'success' ? 'green' : color === 'danger' ? 'red' : '')

/** The types that have a page of their own instead of a list. */
const pages: Record<string, string | undefined> = { developmentCase: '/pages/development/index' }
/** The types that are read as articles. */
const articles = ['topic', 'knowledge', 'video']

/** The record types that a page of the phone leads to, as the server places them; those of one title share an entry. */
export async function entriesOf(page: string): Promise<RecordEntry[]> {
  const out: RecordEntry[] = []
  for (const { type, place } of (await get<PhoneEntry[]>('/api/member/records')).filter((e) => e.place.page === page || e.place.also === page)) {
    const same = out.find((e) => e.text === place.title && e.group === place.group)
    if (same) same.types.push(type)
    else out.push({ text: place.title, icon: place.icon, group: place.group, types: [type], url: '', single: place.single, empty: place.empty })
  }
  for (const e of out) e.url = pages[e.types[0]] ?? (articles.includes(e.types[0]) ? `/pages/articles/list?type=${e.types.join(',')}` : listOf(e.types.join(','), e.text, e.single, e.empty))
  return out
}
export interface RecordEntry { text: string; icon: string; url: string; group: string; types: string[]; single: boolean; empty: string }

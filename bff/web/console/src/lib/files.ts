import { inject, type InjectionKey, type Ref } from 'vue'
import { ApiError, refused, url } from '@/api/client'
import type { Field, FileRef } from '@shared/types'

/** The record that a form is about; without an id it is not saved yet. */
export const about: InjectionKey<{ type: string; id: Ref<string | undefined> }> = Symbol('record')
export const useAbout = () => inject(about)!

const kinds: Record<string, { title: string; most: number; exts: string[] }> = {
  image: { title: '图片', most: 10, exts: ['jpg', 'jpeg', 'png', 'webp'] },
  document: { title: '文档', most: 20, exts: ['doc', 'docx', 'xls', 'xlsx', 'ppt', 'pptx', 'pdf', 'ofd', 'wps', 'et', 'dps'] },
  video: { title: '视频', most: 50, exts: ['mp4', 'mov'] },
}
const accepted = (f: Field) => (f.accept ?? (f.type === 'image' || f.type === 'richtext' ? ['image'] : Object.keys(kinds))).map((k) => kinds[k])

/** The extensions that a file dialog offers. */
export const extensions = (f: Field) => accepted(f).flatMap((k) => k.exts.map((e) => `.${e}`)).join(',')
/** What may be uploaded, for people. */
export const allowed = (f: Field) => accepted(f).map((k) => `${k.title}（${k.exts.join('、')}，不超过${k.most}MB）`).join('、')

/** Why a file need not be sent at all; what it is, the server tells by its content. */
export function unfit(f: Field, file: File): string | undefined {
  const ext = file.name.split('.').pop()?.toLowerCase() ?? ''
  const kind = accepted(f).find((k) => k.exts.includes(ext)) ?? accepted(f).reduce((a, b) => (b.most > a.most ? b : a))
  if (file.size > kind.most << 20) return `${kind.title}不能超过${kind.most}MB`
  if (!file.size) return '文件没有内容'
}

/** Uploads a file for a field of a record that is saved later. */
export function upload(type: string, field: string, file: File, progress: (percent: number) => void, stop?: AbortSignal): Promise<FileRef> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest() // fetch does not tell how far it is
    request.open('POST', url(`records/${type}/upload`, { field }))
    request.setRequestHeader('X-Requested-With', 'zhihuidangjian')
    request.upload.onprogress = (e) => { if (e.lengthComputable) progress(Math.floor((e.loaded / e.total) * 99)) }
    request.onerror = () => reject(new ApiError('网络连接失败，请检查网络后重试', 0))
    request.onload = () => {
      let body: any = {}
      try { body = JSON.parse(request.responseText) } catch { /* an answer of a proxy */ }
      if (request.status === 200) resolve(body)
      else reject(refused(request.status, body))
    }
    stop?.addEventListener('abort', () => request.abort())
    const form = new FormData()
    form.append('file', file, file.name)
    request.send(form)
  })
}

/** Where a file is read: through the record that names it, or as one's own upload. */
export const address = (type: string, file: FileRef, id?: string, download = false) =>
  url(`records/${type}/files/${file.id}`, { id, download: download ? 1 : '' })

export const isImage = (f: FileRef) => f.contentType.startsWith('image/')
export const isVideo = (f: FileRef) => f.contentType.startsWith('video/')
export const isPdf = (f: FileRef) => f.contentType === 'application/pdf'
export const sizeText = (n: number) => (n < 1024 ? `${n} B` : n < 1 << 20 ? `${(n / 1024).toFixed(0)} KB` : `${(n / (1 << 20)).toFixed(1)} MB`)

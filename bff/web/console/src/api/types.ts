// Shapes of the HTTP API; names follow idl/*.thrift.

export interface Me {
  userId: string; userName: string; realName: string
  orgId: string; orgName: string; topLevel: boolean; permissions: string[]
}
export interface Captcha {
  id: string; image: string; tile: string; width: number; height: number
  tileWidth: number; tileHeight: number; tileX: number; tileY: number
}
export interface TreeNode {
  id: string; parentId: string; orgName: string; orgType: string; icon: string; memberCount: number
  children?: TreeNode[]
}
export interface Count { key: string; label: string; count: number }
export interface Statistics {
  organizations: Count[]; genders: Count[]; bindings: Count[]; ages: Count[]; memberCount: number
}

export type FieldType =
  | 'string' | 'text' | 'int' | 'money' | 'date' | 'month' | 'datetime'
  | 'enum' | 'enums' | 'ref' | 'refs' | 'bool' | 'decimal' | 'phone' | 'idNumber'
  | 'files' | 'image' | 'richtext' | 'scores' | 'permissions' | 'password'
export interface Option { value: string; label: string; color?: 'success' | 'warning' | 'info' | 'danger' | 'primary' }
export interface Field {
  key: string; label: string; type: FieldType
  required?: boolean | string; options?: Option[]; ref?: string
  list?: boolean; form?: boolean; search?: boolean; fixed?: boolean; readonly?: boolean
  below?: boolean; help?: string; width?: number; sortable?: boolean; showIf?: { field: string; in: string[] }
  max?: number; accept?: string[]; personal?: boolean
}
/** One file of a record, or one that waits to be saved with it. */
export interface FileRef { id: string; name: string; size: number; contentType: string }
export interface Action { key: string; title: string; confirm?: string; fields?: Field[]; many?: boolean; related?: Related[] }
export interface Schema {
  type: string; title: string; fields: Field[]; permissions: Record<string, boolean>
  actions?: Action[]; importable?: boolean; exportable?: boolean; defaultSort?: string
  related?: Related[]
}
/**
 * A list of another type that belongs to a record: without a field those of an organisation
 * and all below it; without a type empty. Year is the field that a year is chosen by.
 */
export interface Related { type?: string; field?: string; title: string; year?: string }
/** What an action on one of several records came to. */
export interface Outcome { id: string; name: string; done: boolean; message: string }
export interface Row {
  id: string; version: number; _labels?: Record<string, string>; _actions?: string[]
  [key: string]: any
}
/** What a page does itself with a row, by the key of the verb; true asks for the list again. */
export type Acts = Record<string, (row: Row) => Promise<boolean | void> | boolean | void>
export interface List { items: Row[] | null; total: number; summary?: Record<string, string> }
export interface ImportBatch {
  id: string; state: 'queued' | 'checking' | 'preview' | 'running' | 'finished' | 'failed' | 'cancelled'; fileName: string
  total: number; done: number; successCount: number; failureCount: number; message: string
  failures?: { rowNo: number; values: string[]; reason: string }[]
}

/** What an import understood, before it stores anything. */
export interface ImportPreview {
  batch: ImportBatch
  columns: { key: string; label: string; required: boolean; options?: string[] }[]
  groups: { column: string; label: string; reason: string; count: number; word: string }[]
  rows: ImportRow[]
  total: number
}
export interface ImportRow {
  rowNo: number; reason: string; skipped: boolean
  cells: { text: string; value: string; reason: string }[]
}
/** What an admin changes before he confirms. */
export interface ImportMend {
  cells?: { rowNo: number; column: string; text: string }[]
  words?: { column: string; word: string; text: string }[]
  skip?: number[]
  keep?: number[]
}

export interface DuesItem { month: string; baseAmount?: number; rate: number; payable: number; reduction: number; due: number }
export interface Order {
  id: string; orderNo: string; memberId: string; memberName: string; idNumber: string; orgName: string
  fromMonth: string; toMonth: string; items?: DuesItem[]; amount: number; status: string
  payMethod: string; payChannel: string; createdAt: number; paidAt: number; operator: string
  transactionNo: string; expiresAt: number; actions?: string[]
  /** Who took cash that somebody else has yet to confirm, and who confirmed it (CASH_CONFIRM). */
  cashBy: string; confirmedBy: string
}
export interface Owed {
  paidThrough: string; items?: DuesItem[]; amount: number; message: string; ahead?: DuesItem[]
}
export interface NativePay { codeUrl: string; qr: string; expiresAt: number }

export interface Arrival {
  memberId: string; name: string; orgName: string; signedInAt: number
  phone: string; registeredAt: number; leaveReason: string
}
export interface Live { expected: number; signedIn: number; latest?: Arrival[]; state: string }
export interface QR { url: string; image: string; refreshAt: number; title: string }
export interface MeetingStatistics {
  id: string; title: string; state: string; expected: number; signedIn: number; registered: number
  onLeave: number; participants?: Arrival[]; needSignIn: boolean; needRegistration: boolean
}
/** Who was told of a meeting; state: sent, waiting, failed. */
export interface Deliveries {
  items?: { id: string; memberId: string; name: string; channel: string; state: string; reason: string; tries: number; at: number; phone: string }[]
  total: number; counts?: { channel: string; sent: number; waiting: number; failed: number }[]
}
export interface Ranking { rows?: { rank: number; id: string; name: string; orgName: string; score: number }[]; total: number; year: number }
export interface Entries { entries?: { item: string; itemLabel: string; score: number; earnedAt: number; source: string }[]; total: number; sum: number }
/** What a walk along the chain of 操作日志 found. */
export interface Verification { intact: boolean; count: number; brokenAt: number; reason: string; head: string }
export interface Notification {
  id: string; title: string; content: string; targetType: string; targetId: string; createdAt: number; readAt: number
}

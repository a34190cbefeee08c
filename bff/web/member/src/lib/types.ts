// What the product answers; field names are those of idl/*.thrift.

export interface Me {
  realName: string
  orgName: string
  memberId: string
  bound: boolean
}

export interface Member {
  name: string
  gender: string
  idNumber: string
  phone: string
  orgName: string
  memberType: string
  status: string
  duesPaidThrough: string
  committeeName: string
  birthDate: string
  joinedOn: string
}

export interface Organization {
  orgName: string
  orgType: string
  orgNames: string[] | null
  secretary: string
  contactName: string
  contactPhone: string
  address: string
  memberCount: number
}

export interface DuesItem {
  month: string
  baseAmount: number
  rate: number
  payable: number
  reduction: number
  due: number
}

export interface DuesOrder {
  id: string
  orderNo: string
  fromMonth: string
  toMonth: string
  amount: number
  status: string
  payMethod: string
  createdAt: number
  paidAt: number
}

export interface Owed {
  paidThrough: string
  items: DuesItem[] | null
  ahead: DuesItem[] | null
  amount: number
  message: string
  orders: DuesOrder[] | null
}

export interface JSAPIPay {
  order: DuesOrder
  appId: string
  timeStamp: string
  nonceStr: string
  packageValue: string
  signType: string
  paySign: string
}

export interface CheckIn {
  title: string
  signedInAt: number
  already: boolean
  message: string
  place: string
}

export interface Meeting {
  id: string
  title: string
  state: string
  startAt: number
  endAt: number
  place: string
  agenda: string
  orgName: string
  needSignIn: boolean
  signedInAt: number
  meetingForm: string
  host: string
}

export interface PointsEntry {
  item: string
  itemLabel: string
  score: number
  earnedAt: number
  source: string
}

export interface MyPoints {
  score: number
  rank: number
  of: number
  year: number
  entries: PointsEntry[] | null
}

export interface RankRow {
  rank: number
  id: string
  name: string
  score: number
}

export interface Notification {
  id: string
  kind: string
  title: string
  content: string
  targetType: string
  targetId: string
  createdAt: number
  readAt: number
}

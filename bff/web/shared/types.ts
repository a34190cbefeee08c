// What the HTTP interface takes and answers, by the names that the clients use. The shapes are
// those of api.ts, which is made from the routes (make types); what stands here by itself are
// records, whose fields the server's schemas tell.
import type { components } from './api'

type S = components['schemas']

export type Me = S['account.Me']
export type Captcha = S['account.Captcha']
export type Home = S['account.Home']
export type TreeNode = S['party.TreeNode'] & { children?: TreeNode[] }
export type Count = S['party.Count']
export type Statistics = S['party.Statistics']
export type Member = S['party.Member']
export type Organization = S['party.Organization']
export type OrgMap = S['party.OrgMap']
export type Leadership = S['affairs.Leadership']
export type DuesItem = S['dues.Item']
export type Order = S['dues.Order']
export type Owed = S['dues.Owed']
export type NativePay = S['dues.NativePay']
export type JSAPIPay = S['dues.JSAPIPay']
export type Arrival = S['meeting.Arrival']
export type Live = S['meeting.Live']
export type QR = S['meeting.QR']
export type MeetingStatistics = S['meeting.Statistics']
export type Meeting = S['meeting.MyMeeting']
export type QuestionBrief = S['learning.QuestionBrief']
export type ExamStatistics = S['learning.ExamStatistics']
export type StudyStatistics = S['learning.StudyStatistics']
export type MyExam = S['learning.MyExam']
export type MyPaper = S['learning.MyPaper']
export type PaperQuestion = S['learning.PaperQuestion']
export type CheckIn = S['meeting.CheckIn']
export type Deliveries = S['notify.Deliveries']
export type Notification = S['notify.Notification']
export type Ranking = S['points.Ranking']
export type RankRow = S['points.RankRow']
export type Entries = S['points.Entries']
export type PointsEntry = S['points.Entry']
export type MyPoints = S['points.MyPoints']
export type Verification = S['audit.Verification']

export type TypeInfo = S['records.TypeInfo']
export type Place = S['records.Place']
/** A record type that members find on the phone. */
export type PhoneEntry = S['edge.entry']
export type Field = S['field.Field']
export type FieldType = Field['type']
export type Option = S['field.Option']
export type Action = S['records.Offer']
export type Schema = S['records.Schema']
/**
 * A list of another type that belongs to a record: without a field those of an organisation
 * and all below it; without a type empty. Year is the field that a year is chosen by.
 */
export type Related = S['records.Related']
/** What an action on one of several records came to. */
export type Outcome = S['records.ActOutcome']
/** How far an action is on everything that a list shows. */
export type Round = S['records.Round']
export type ImportBatch = S['records.ImportBatch']
/** What an import understood, before it stores anything. */
export type ImportPreview = S['records.ImportPreview']
export type ImportRow = S['records.ImportRow']
/** What an admin changes before he confirms. */
export type ImportMend = Omit<S['records.MendReq'], 'id' | 'type'>

/** One file of a record, or one that waits to be saved with it. */
export interface FileRef { id: string; name: string; size: number; contentType: string }
/** A score for one aspect, of a field of the type scores. */
export interface AspectScore { aspect: string; score: number }
/** A record: its fields by key, as its type's schema describes them. */
export interface Row {
  id: string; version: number; _labels?: Record<string, string>; _actions?: string[]
  [key: string]: any
}
export interface List { items: Row[] | null; total: number; summary?: Record<string, string> }
export type Values = Record<string, unknown>
export type DevelopmentCase = S['development.Case']
export type DevelopmentStep = S['development.Step']
export type DuesSheet = S['dues.Sheet']
export type DuesSheetRow = S['dues.SheetRow']
export type DuesPaidMonths = S['dues.PaidMonths']
export type DuesAnalysis = S['dues.Analysis']
export type DuesAnalysisRow = S['dues.AnalysisRow']
export type DuesMonths = S['dues.MonthRows']

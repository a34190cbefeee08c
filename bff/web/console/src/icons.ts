import {
  Aim, Avatar, Bell, Briefcase, Calendar, ChatDotRound, ChatLineRound, CircleCheck, Coin, Collection, Connection, DataLine, Document, Download, EditPen, Files, FirstAidKit, Flag,
  Guide, House, Key, List, Medal, Minus, Money, Notebook, OfficeBuilding, Opportunity, Picture, Place, Position, PriceTag, Promotion, Reading, Refresh, School,
  Sort, Star, Sunset, Switch, Tickets, Timer, TrendCharts, Trophy, Upload, User, UserFilled, VideoCamera, WarnTriangleFilled,
} from '@element-plus/icons-vue'
import { markRaw, type Component } from 'vue'

/** The icons that a declaration names on the server; a name that is not here fails bff/edge's test of places. */
export const icons: Record<string, Component> = markRaw({
  abroad: Place, affairs: Briefcase, award: Trophy, binding: Avatar, book: Reading, bulletin: Bell, calendar: Calendar, certificate: Promotion,
  change: EditPen, check: CircleCheck, collection: Collection, development: TrendCharts, document: Document, dues: Coin, election: Refresh,
  evaluate: Star, exam: Tickets, files: Files, flag: Flag, flow: Switch, guide: Guide, hardship: FirstAidKit, help: ChatDotRound, key: Key,
  leave: Minus, list: List, medal: Medal, meeting: Calendar, member: User, money: Money, news: Document, notebook: Notebook,
  organization: OfficeBuilding, partTime: Connection, ranking: DataLine, reconcile: Aim, reduction: Minus, report: Document, reportIn: Position, retirement: Sunset,
  showcase: Picture, specialty: Opportunity, suggestion: ChatLineRound, tag: PriceTag, task: List, tickets: Tickets, timer: Timer,
  transfer: Sort, transferIn: Download, transferOut: Upload, unit: School, user: UserFilled, video: VideoCamera, vote: CircleCheck, warning: WarnTriangleFilled, home: House,
})

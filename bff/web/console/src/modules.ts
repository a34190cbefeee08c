import { Avatar, Calendar, Coin, DataLine, Document, House, Medal, OfficeBuilding, Tickets, User } from '@element-plus/icons-vue'
import { markRaw, type Component } from 'vue'

/** A page of the menu. */
export interface Module { path: string; title: string; permission: string; icon: Component }

const m = (path: string, title: string, permission: string, icon: Component): Module =>
  ({ path, title, permission, icon: markRaw(icon) })

/** The menu: groups of modules in the order of the manual. */
export const menu: { title: string; modules: Module[] }[] = [
  { title: '组织管理', modules: [m('/organization', '党组织管理', 'organization.view', OfficeBuilding)] },
  { title: '党员管理', modules: [
    m('/member', '党员管理', 'member.view', User),
    m('/binding', '绑定党员', 'binding.view', Avatar),
  ] },
  { title: '党费', modules: [
    m('/dues', '党费管理', 'duesOrder.view', Coin),
    m('/dues-base', '基数管理', 'duesBase.view', Document),
    m('/payments', '支付明细', 'duesOrder.view', Tickets),
  ] },
  { title: '组织生活', modules: [m('/meetings', '会议', 'meeting.view', Calendar)] },
  { title: '积分', modules: [
    m('/ranking', '积分排行', 'points.view', DataLine),
    m('/points-rule', '积分分值', 'pointsRule.view', Medal),
  ] },
]
export const home = m('/', '首页', '', House)

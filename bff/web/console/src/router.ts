import { createRouter, createWebHashHistory } from 'vue-router'
import { onSignedOut } from '@/api/client'
import { agreed, unsaved } from '@/lib/unsaved'
import { useSession } from '@/stores/session'

/** A page that is nothing but a record type. */
const records = (path: string, type: string, permission = `${type}.view`) =>
  ({ path, component: () => import('@/views/RecordsView.vue'), props: { type }, meta: { permission } })

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/login', component: () => import('@/views/LoginView.vue'), meta: { open: true, title: '登录' } },
    { path: '/meetings/:id/qr', component: () => import('@/views/MeetingQrView.vue'), props: true, meta: { permission: 'meeting.view', title: '会议签到' } },
    {
      path: '/',
      component: () => import('@/views/ShellView.vue'),
      children: [
        { path: '', component: () => import('@/views/HomeView.vue') },
        { path: 'organization', component: () => import('@/views/OrganizationView.vue'), meta: { permission: 'organization.view' } },
        { path: 'r/developmentCase', component: () => import('@/views/DevelopmentView.vue'), meta: { permission: 'developmentCase.view' } },
        { path: 'r/election', component: () => import('@/views/ElectionView.vue'), meta: { permission: 'election.view' } },
        { path: 'r/organizationTransfer', component: () => import('@/views/TransferView.vue'), meta: { permission: 'organizationTransfer.view' } },
        { path: 'r/audit', component: () => import('@/views/AuditView.vue'), meta: { permission: 'audit.view' } },
        records('member', 'member'),
        records('points-rule', 'pointsRule'),
        records('dues-base', 'duesBase'),
        { path: 'binding', component: () => import('@/views/BindingView.vue'), meta: { permission: 'binding.view' } },
        { path: 'tabs/:type', component: () => import('@/views/TabsView.vue'), props: true },
        { path: 'dues', component: () => import('@/views/DuesView.vue'), meta: { permission: 'duesOrder.view' } },
        { path: 'dues/:id/cashier', component: () => import('@/views/CashierView.vue'), props: true, meta: { permission: 'duesOrder.pay', title: '收银台' } },
        { path: 'dues-month', component: () => import('@/views/MonthSheetView.vue'), meta: { permission: 'duesOrder.pay' } },
        { path: 'dues-analysis', component: () => import('@/views/AnalysisView.vue'), meta: { permission: 'duesAnalysis.view' } },
        { path: 'approvals', component: () => import('@/views/ApprovalsView.vue') },
        { path: 'payments', component: () => import('@/views/PaymentsView.vue'), meta: { permission: 'duesOrder.view' } },
        { path: 'meetings', component: () => import('@/views/MeetingsView.vue'), meta: { permission: 'meeting.view' } },
        { path: 'meetings/:id/statistics', component: () => import('@/views/MeetingStatisticsView.vue'), props: true, meta: { permission: 'meeting.view', title: '会议统计' } },
        { path: 'studies', component: () => import('@/views/StudiesView.vue'), meta: { permission: 'studyTask.view' } },
        { path: 'studies/:id/statistics', component: () => import('@/views/StudyStatisticsView.vue'), props: true, meta: { permission: 'studyTask.view', title: '学习统计' } },
        { path: 'exams', component: () => import('@/views/ExamsView.vue'), meta: { permission: 'exam.view' } },
        { path: 'exams/:id/statistics', component: () => import('@/views/ExamStatisticsView.vue'), props: true, meta: { permission: 'exam.view', title: '交卷统计' } },
        { path: 'ranking', component: () => import('@/views/RankingView.vue'), meta: { permission: 'points.view' } },
        { path: 'r/:type', component: () => import('@/views/RecordsView.vue'), props: true },
        { path: ':rest(.*)*', component: () => import('@/views/RefusedView.vue'), props: { text: '页面不存在' } },
      ],
    },
  ],
})

const toLogin = () => {
  useSession().me = null
  if (router.currentRoute.value.path !== '/login') void router.replace('/login')
}
onSignedOut(toLogin)

router.beforeEach(async (to, from) => {
  const session = useSession()
  if (to.path !== from.path && session.me && unsaved() && !(await agreed())) return false
  const me = await session.load().catch(() => null)
  if (to.meta.open) return me ? '/' : true
  return me ? true : '/login'
})

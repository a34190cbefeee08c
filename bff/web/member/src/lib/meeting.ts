import type { Meeting } from '@shared/types'

const STATES: Record<string, { text: string; tone: string }> = {
  waiting: { text: '待开始', tone: 'red' },
  running: { text: '进行中', tone: 'green' },
  ended: { text: '已结束', tone: '' }
}

/** How a meeting's state reads. */
export const meetingState = (m: Meeting) => STATES[m.state] ?? { text: m.state, tone: '' }

import type { MyExam } from '@shared/types'

/** How an exam stands for the one whose paper it is. */
export function examState(e: MyExam): { text: string; tone: string } {
  if (e.state === 'submitted') return { text: e.auto ? '系统已交卷' : '已交卷', tone: 'green' }
  return e.state === 'absent' ? { text: '未交卷', tone: '' } : { text: e.attempt > 1 ? '补考未答' : '未答', tone: 'red' }
}

/** The names of the kinds of questions. */
export const kinds: Record<string, string> = { single: '单选题', multiple: '多选题', judge: '判断题' }

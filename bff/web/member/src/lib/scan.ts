import { ApiError } from './api'
import { Redirected } from './session'
import { checkInToken, scan } from './wechat'

/** 扫一扫: a meeting's code leads to its sign-in. */
export async function scanToSignIn() {
  try {
    const text = await scan()
    if (text === undefined) return
    const token = checkInToken(text)
    if (token) uni.navigateTo({ url: `/pages/sign-in/index?t=${token}` })
    else uni.showModal({ title: '无法识别', content: '这不是会议签到二维码', showCancel: false })
  } catch (e) {
    if (e instanceof Redirected) return
    const content = e instanceof ApiError || e instanceof Error ? e.message : '请重试'
    uni.showModal({ title: '扫一扫', content, showCancel: false })
  }
}

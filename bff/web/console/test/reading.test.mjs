// How what people type and paste is read.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { transformWithOxc } from 'vite'

const file = new URL('../../shared/reading.ts', import.meta.url)
const { code } = await transformWithOxc(readFileSync(file, 'utf8'), file.pathname)
const { readClock, readDay, readMonth, readTime, foldPhone, foldID, fen, misread } = await import(`data:text/javascript,${encodeURIComponent(code)}`)

const each = (read, cases) => { for (const [text, want] of Object.entries(cases)) assert.equal(read(text), want, text) }

test('PLUS-40 a day is one of the calendar, however it is written', () => {
  each(readDay, {
    '2024-07-01': '2024-07-01', '2024/7/1': '2024-07-01', '2024.7.1': '2024-07-01', '2024年7月1日': '2024-07-01', 20240701: '2024-07-01',
    ' 2024-7-1 ': '2024-07-01', '２０２４－０７－０１': '2024-07-01', '2024 年 7 月 1 日': '2024-07-01', '2024-02-29': '2024-02-29', '1921-07-01': '1921-07-01',
    '2024-02-30': undefined, '2023-02-29': undefined, '2024-13-01': undefined, '2024-00-10': undefined, '2024-7/1': undefined, '24-07-01': undefined,
    45474: undefined, '2024-07': undefined, 明天: undefined, '0024-07-01': undefined,
  })
})
test('PLUS-40 a month likewise, and a time of a day', () => {
  each(readMonth, { '2024-07': '2024-07', '2024/7': '2024-07', '2024年7月': '2024-07', 202407: '2024-07', '2024-13': undefined, 2024: undefined, '2024-07-01': undefined })
  each(readTime, {
    '2024-07-01 09:05': '2024-07-01 09:05', '2024/7/1 9:05': '2024-07-01 09:05', '2024年7月1日 09：05': '2024-07-01 09:05', '2024-07-01 09:05:30': '2024-07-01 09:05',
    '2024-07-01': '2024-07-01 00:00', '2024-02-30 09:00': undefined, '2024-07-01 25:00': undefined,
  })
  each(readClock, { '9:05': '09:05', '09：05:30': '09:05', '00:00': '00:00', '24:00': undefined, '9:60': undefined, 905: undefined, '9:5': undefined })
})
test('PLUS-40 a phone or ID number is folded, never cut', () => {
  each(foldPhone, {
    '138 0013 8000': '13800138000', '+86 138-0013-8000': '13800138000', '008613800138000': '13800138000', '１３８００１３８０００': '13800138000',
    '\u200b138 0013 8000': '13800138000', '010-88886666': '010-88886666', '138****8000': '138****8000', 1380013800012: '1380013800012', '86123': '86123',
  })
  each(foldID, { '110105 19491231 002x': '11010519491231002X', '110105-19491231-002X': '11010519491231002X', '110***********002X': '110***********002X' })
})
test('PLUS-40 an amount is whole fen, or none', () => {
  each(fen, {
    0: 0, '12.3': 1230, '1,234.56': 123456, '¥8.05': 805, '￥８．０５元': 805, '1，234': 123400, ' 9 元': 900, '0.10': 10, '8.5E3': 850000, '8500.0000': 850000,
    '': undefined, '-1': undefined, '1.234': undefined, '8.5E-3': undefined, 'E3': undefined, '1,2': undefined, '12,34': undefined, '.5': undefined, 一: undefined, 99999999999999: undefined,
  })
})
test('PLUS-40 what is no value of its field is told', () => {
  assert.match(misread({ type: 'date' }, '2024-02-30'), /“2024-02-30”不是有效的日期/)
  assert.match(misread({ type: 'month' }, '2024-13'), /不是有效的年月/)
  assert.match(misread({ type: 'money' }, '8,5'), /请输入正确的金额/)
  for (const [type, value] of [['date', '2024-02-29'], ['datetime', '2024-07-01 09:00:00'], ['money', 100], ['date', ''], ['date', null], ['string', '2024-02-30']])
    assert.equal(misread({ type }, value), undefined)
})

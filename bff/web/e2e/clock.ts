import { sandbox } from '../member/test/sandbox.mjs'

const BASE = process.env.BASE_URL ?? 'http://127.0.0.1:8080'

/** The product's clock, which other tests move. */
const at = async (hours: number) => new Date(Date.parse((await sandbox(BASE, 'GET', 'clock')).now) + hours * 3600_000)
/** So many hours from now, as requests say it. */
export const later = async (hours: number) => (await at(hours)).toISOString()
/** The same as people type it, in Shanghai. */
export const wall = async (hours: number) => (await at(hours + 8)).toISOString().slice(0, 16).replace('T', ' ')

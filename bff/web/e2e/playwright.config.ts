import { defineConfig } from '@playwright/test'

const report = process.env.E2E_REPORT

// One product is under test, so the files run one after another.
export default defineConfig({
  testDir: '.',
  workers: 1,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: report ? [['list'], ['json', { outputFile: report }]] : 'list',
  use: {
    baseURL: process.env.BASE_URL ?? 'http://127.0.0.1:8080',
    locale: 'zh-CN',
    timezoneId: 'Asia/Shanghai',
    viewport: { width: 1280, height: 800 },
    trace: 'off',
    launchOptions: { executablePath: '/usr/bin/chromium', chromiumSandbox: false },
  },
})

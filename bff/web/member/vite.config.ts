import { defineConfig } from 'vite'
import uni from '@dcloudio/vite-plugin-uni'
import { noBeacon, noOutsideStyles } from './vite/no-beacon'

export default defineConfig({
  plugins: [noBeacon(), uni(), noOutsideStyles()],
  server: { proxy: { '/api': 'http://127.0.0.1:18082', '/wechat': 'http://127.0.0.1:18082', '/sandbox': 'http://127.0.0.1:18082' } },
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false }, sourcemap: false }
})

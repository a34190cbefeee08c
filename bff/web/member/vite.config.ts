import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import uni from '@dcloudio/vite-plugin-uni'
import { noBeacon, noOutsideStyles } from './vite/no-beacon'

export default defineConfig({
  plugins: [noBeacon(), uni(), noOutsideStyles()],
  resolve: { alias: { '@shared': fileURLToPath(new URL('../shared', import.meta.url)) } },
  server: { proxy: { '/api': 'http://127.0.0.1:18082', '/wechat': 'http://127.0.0.1:18082', '/sandbox': 'http://127.0.0.1:18082' } },
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false }, sourcemap: false }
})

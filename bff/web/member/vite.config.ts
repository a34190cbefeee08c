import { defineConfig } from 'vite'
import uniModule from '@dcloudio/vite-plugin-uni'
import { noBeacon } from './vite/no-beacon'

// The plugin is CommonJS: its default export hides one level deeper under Node's loader.
const uni = ((uniModule as unknown as { default?: typeof uniModule }).default ?? uniModule) as typeof uniModule

export default defineConfig({
  plugins: [noBeacon(), uni()],
  server: { proxy: { '/api': 'http://127.0.0.1:18082', '/wechat': 'http://127.0.0.1:18082', '/sandbox': 'http://127.0.0.1:18082' } },
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false }, sourcemap: false }
})

import type { Plugin } from 'vite'

/**
 * The mini-program runtime of uni-app asks wx.preloadAssets for an image of a host of
 * its maker three seconds after the start, the host spelled in character codes. This
 * takes the call out, and fails the build when upstream changed so that it is not found.
 */
export function noBeacon(): Plugin {
  const runtime = /@dcloudio\/uni-mp-weixin\/dist\/uni\.mp\.esm\.js$/
  const body = /function preloadAsset\(\) \{\n[\s\S]*?wx\.preloadAssets\(\{[\s\S]*?\n\}\n/
  let found = false
  return {
    name: 'no-beacon',
    enforce: 'pre',
    apply: 'build',
    transform(code, id) {
      if (!runtime.test(id.split('?')[0])) return
      if (!body.test(code)) this.error('uni-mp-weixin changed: its preloadAsset() beacon was not found, look where it went')
      found = true
      return { code: code.replace(body, 'function preloadAsset() {}\n'), map: null }
    },
    generateBundle(_, bundle) {
      if (process.env.UNI_PLATFORM !== 'mp-weixin') return
      if (!found) this.error('uni-mp-weixin was not bundled from its usual place: the beacon may be back')
      for (const [name, chunk] of Object.entries(bundle)) {
        if (chunk.type === 'chunk' && /preloadAssets/.test(chunk.code)) this.error(`${name} still calls preloadAssets`)
      }
    }
  }
}

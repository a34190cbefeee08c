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

/**
 * The H5 framework styles load shadow pictures from the same host, one of them by an
 * animation that runs on every page. This takes the pictures out, and fails the build
 * when a style still loads something from outside.
 */
export function noOutsideStyles(): Plugin {
  const picture = /background-image:\s*url\(['"]?https:\/\/cdn\.dcloud\.net\.cn\/img\/shadow-\w+\.png['"]?\);?/g
  return {
    name: 'no-outside-styles',
    enforce: 'post',
    apply: 'build',
    generateBundle(_, bundle) {
      for (const [name, asset] of Object.entries(bundle)) {
        if (asset.type !== 'asset' || !name.endsWith('.css')) continue
        const css = String(asset.source).replace(picture, '')
        const outside = /url\(['"]?(https?:)?\/\/[^)]*\)|@import[^;]*\/\//.exec(css)
        if (outside) this.error(`${name} loads ${outside[0]}`)
        asset.source = css
      }
    }
  }
}

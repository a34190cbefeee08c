// What both builds must not contain: anything that loads from outside, inline script.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = new URL('..', import.meta.url).pathname
const files = (dir) =>
  readdirSync(join(root, dir), { recursive: true }).map((f) => join(dir, f)).filter((f) => /\.(html|js|css|json|wxml|wxss|svg)$/.test(f))
const read = (f) => readFileSync(join(root, f), 'utf8')

// Names of XML and words of error messages; nothing is ever asked of them.
const INERT = [/^http:\/\/www\.w3\.org\//, /^https:\/\/vuejs\.org\/error-reference\//, /^https:\/\/uniapp\.dcloud\.net\.cn\/tutorial\//]

for (const dir of ['dist', 'unpackage/mp-weixin']) {
  test(`${dir} names no host outside`, () => {
    const own = dir === 'dist' ? [] : [new RegExp('^' + (process.env.VITE_API_BASE ?? 'http://127.0.0.1:8080'))]
    const found = files(dir).flatMap((f) => (read(f).match(/(https?:)?\/\/[a-z0-9-]+(\.[a-z0-9-]+)+[^\s"'`)]*/gi) ?? []).map((url) => `${f} ${url}`))
    assert.deepEqual(found.filter((line) => ![...INERT, ...own].some((ok) => ok.test(line.split(' ')[1]))), [])
  })
}

test('the H5 page runs under script-src self', () => {
  const html = read('dist/index.html')
  for (const tag of html.match(/<script[^>]*>/g)) assert.match(tag, / src="\/m\/assets\//)
  assert.doesNotMatch(html, / on\w+=|javascript:/)
  for (const f of files('dist')) assert.doesNotMatch(read(f), /\beval\(|new Function\(/, f)
})

test('the mini-program carries no beacon and fits its package', () => {
  for (const f of files('unpackage/mp-weixin')) assert.doesNotMatch(read(f), /preloadAssets/, f)
  const size = readdirSync(join(root, 'unpackage/mp-weixin'), { recursive: true }).reduce((sum, f) => sum + statSync(join(root, 'unpackage/mp-weixin', f)).size, 0)
  assert.ok(size < 2 << 20, `${size} bytes`)
})

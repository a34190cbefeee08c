// Just enough of .xlsx for the tests: a workbook the server made is opened, read,
// written into and saved again, all its other parts as they were.
import { crc32, inflateRawSync } from 'node:zlib'

const unescape = (s: string) => s.replace(/&(lt|gt|quot|apos|amp|#x?[\da-f]+);/gi, (_, n: string) =>
  ({ lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' })[n] ?? String.fromCodePoint(/^#x/i.test(n) ? parseInt(n.slice(2), 16) : Number(n.slice(1))))
const escape = (s: string) => s.replace(/[&<>"]/g, (c) => `&#${c.codePointAt(0)};`)
const column = (letters: string) => [...letters].reduce((n, c) => n * 26 + c.charCodeAt(0) - 64, 0) - 1
const letters = (column: number): string => (column < 26 ? '' : letters(Math.floor(column / 26) - 1)) + String.fromCharCode(65 + (column % 26))

export class Workbook {
  private parts = new Map<string, Buffer>()

  constructor(zip: Buffer) {
    let at = zip.readUInt32LE(zip.lastIndexOf('PK\x05\x06') + 16) // the central directory
    while (zip.readUInt32LE(at) === 0x02014b50) {
      const [name, extra, comment] = [28, 30, 32].map((o) => zip.readUInt16LE(at + o))
      const local = zip.readUInt32LE(at + 42)
      const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
      const data = zip.subarray(from, from + zip.readUInt32LE(at + 20))
      this.parts.set(zip.toString('utf8', at + 46, at + 46 + name), zip.readUInt16LE(at + 10) === 8 ? inflateRawSync(data) : data)
      at += 46 + name + extra + comment
    }
  }

  private text = (part: string) => this.parts.get(part)?.toString('utf8') ?? ''

  get sheets(): string[] {
    return [...this.text('xl/workbook.xml').matchAll(/<sheet [^>]*name="([^"]*)"/g)].map((m) => unescape(m[1]))
  }

  private part(sheet: string): string {
    const id = new RegExp(`<sheet [^>]*name="${sheet}"[^>]*r:id="([^"]*)"`).exec(this.text('xl/workbook.xml'))?.[1]
    const relation = this.text('xl/_rels/workbook.xml.rels').match(/<Relationship [^>]*>/g)?.find((r) => r.includes(`Id="${id}"`)) ?? ''
    return 'xl/' + (/Target="\/?(?:xl\/)?([^"]*)"/.exec(relation)?.[1] ?? '')
  }

  /** The columns of a sheet that offer a list. */
  dropDowns(sheet: string): string[] {
    return [...this.text(this.part(sheet)).matchAll(/<dataValidation [^>]*type="list"[^>]*>/g)].map((m) => /sqref="([A-Z]+)/.exec(m[0])![1])
  }

  /** All rows of a sheet as text, cells that are missing as ''. */
  rows(sheet: string): string[][] {
    const shared = [...this.text('xl/sharedStrings.xml').matchAll(/<si>(.*?)<\/si>/gs)].map((m) => [...m[1].matchAll(/<t[^>]*>(.*?)<\/t>/gs)].map((t) => t[1]).join(''))
    return [...this.text(this.part(sheet)).matchAll(/<row [^>]*?(?:\/>|>(.*?)<\/row>)/gs)].map((row) => {
      const cells: string[] = []
      for (const c of (row[1] ?? '').matchAll(/<c r="([A-Z]+)\d+"([^>]*?)(?:\/>|>(.*?)<\/c>)/gs)) {
        const value = /<(?:v|t)[^>]*>(.*?)<\/(?:v|t)>/s.exec(c[3] ?? '')?.[1] ?? ''
        cells[column(c[1])] = unescape(c[2].includes('t="s"') ? shared[Number(value)] : value)
      }
      return Array.from(cells, (v) => v ?? '')
    })
  }

  /** Replaces the rows of a sheet, from the second on. A cell that begins with "=" is a formula. */
  fill(sheet: string, rows: string[][]): this {
    const cell = (v: string, c: number, r: number) => v.startsWith('=')
      ? `<c r="${letters(c)}${r}"><f>${escape(v.slice(1))}</f><v>1</v></c>`
      : `<c r="${letters(c)}${r}" t="inlineStr"><is><t xml:space="preserve">${escape(v)}</t></is></c>`
    const xml = rows.map((row, i) => `<row r="${i + 2}">${row.map((v, c) => cell(v, c, i + 2)).join('')}</row>`).join('')
    const part = this.part(sheet)
    this.parts.set(part, Buffer.from(this.text(part).replace(/(<sheetData>(?:<row [^>]*?(?:\/>|>.*?<\/row>))?).*?(<\/sheetData>)/s, (_, head, tail) => head + xml + tail)))
    return this
  }

  save(): Buffer {
    const files: Buffer[] = []
    const directory: Buffer[] = []
    let at = 0
    for (const [name, data] of this.parts) {
      const head = Buffer.alloc(26) // what local and central header share, from the version on
      head.writeUInt16LE(20, 0)
      head.writeUInt16LE(0x21, 8) // 1980-01-01
      head.writeUInt32LE(crc32(data), 10)
      head.writeUInt32LE(data.length, 14)
      head.writeUInt32LE(data.length, 18)
      head.writeUInt16LE(Buffer.byteLength(name), 22)
      const end = Buffer.alloc(14)
      end.writeUInt32LE(at, 10)
      const file = [Buffer.from('PK\x03\x04'), head, Buffer.from(name), data]
      directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), head, end, Buffer.from(name))
      files.push(...file)
      at += file.reduce((n, b) => n + b.length, 0)
    }
    const list = Buffer.concat(directory)
    const end = Buffer.alloc(22)
    end.write('PK\x05\x06', 'latin1')
    end.writeUInt16LE(this.parts.size, 8)
    end.writeUInt16LE(this.parts.size, 10)
    end.writeUInt32LE(list.length, 12)
    end.writeUInt32LE(at, 16)
    return Buffer.concat([...files, list, end])
  }
}

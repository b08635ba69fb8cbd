import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  type YAMLMap,
} from 'yaml'
import { interpolate } from './interpolate.ts'
import { credentials, mask, masked, type Range, secretsIn } from './mask.ts'
import type { Mistake, Path } from './mistake.ts'
import { pathKey, type Source } from './source.ts'

interface Line {
  readonly text: string
  /** Where the trailing blanks begin. */
  readonly end: number
  readonly secrets: readonly Range[]
}

interface Place {
  readonly key: Node | undefined
  readonly value: Node | undefined
}

/** How much of a line is shown. */
const WIDTH = 110
/** A file whose aliases unfold to more than this is a mistake or an attack. */
const MAX_NODES = 100_000
const MAX_MISTAKES = 50
/** Their values are never shown. */
const PRIVATE = new Set<string | number>(['headers', 'env', 'body'])

/** Reads YAML, and JSON, which is YAML too. */
export function readYaml(file: string, text: string, environment: NodeJS.ProcessEnv): Source {
  return new YamlSource(file, text, environment)
}

class YamlSource implements Source {
  readonly value: unknown
  readonly mistakes: Mistake[] = []
  readonly #file: string
  readonly #text: string
  readonly #environment: NodeJS.ProcessEnv
  readonly #lines = new LineCounter()
  readonly #places = new Map<string, Place>()
  readonly #substituted = new Map<string, string>()
  readonly #knownLines = new Map<number, Line>()
  #nodes = 0

  constructor(file: string, text: string, environment: NodeJS.ProcessEnv) {
    this.#file = file
    this.#text = text
    this.#environment = environment
    const document = this.#parse(text)
    if (this.mistakes.length > 0 || !document) return
    const value = this.#convert(document, document.contents, [], [])
    if (this.#nodes > MAX_NODES) this.mistakes.splice(0, Infinity, this.#at(0, 1, [], 'the aliases unfold to too much'))
    else this.value = value
  }

  substituted(path: Path): boolean {
    return this.#substituted.has(pathKey(path))
  }

  written(path: Path): string | undefined {
    return this.#substituted.get(pathKey(path))
  }

  mistake(path: Path, at: 'key' | 'value', message: string): Mistake {
    for (let length = path.length; length >= 0; length--) {
      const place = this.#places.get(pathKey(path.slice(0, length)))
      const wanted = at === 'key' ? (place?.key ?? place?.value) : place?.value
      // Nothing stands there: its key does.
      const node = wanted?.range && wanted.range[1] > wanted.range[0] ? wanted : (place?.key ?? wanted)
      if (node?.range) return this.#at(node.range[0], node.range[1], node === place?.key ? [] : path, message)
    }
    return this.#at(0, 1, [], message)
  }

  #parse(text: string): Document.Parsed | undefined {
    try {
      const options = { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: false, logLevel: 'silent' } as const
      const document = parseDocument(text, options)
      const errors = [...document.errors, ...document.warnings]
      if (errors.some(({ message }) => /call stack/.test(message))) throw new RangeError()
      for (const { pos, message } of errors.slice(0, MAX_MISTAKES)) {
        const mistake = this.#at(pos[0], pos[1], [], sentence(message))
        // What follows from the first mistake of a line is none of its own.
        if (mistake.line !== this.mistakes.at(-1)?.line) this.mistakes.push(mistake)
      }
      return document
    } catch {
      // The parser goes down into what is nested call by call.
      this.mistakes.push(this.#at(0, 1, [], 'the file can not be read: it is nested too deeply'))
      return undefined
    }
  }

  #convert(document: Document.Parsed, node: Node | null, path: Path, open: readonly Node[]): unknown {
    if (++this.#nodes > MAX_NODES || node === null) return null
    if (isAlias(node)) {
      const target = node.resolve(document)
      if (target && !open.includes(target)) return this.#convert(document, target, path, open)
      const what = target
        ? 'leads to itself'
        : `leads nowhere: put quotes around a value that begins with *, as in "* * * * *"`
      this.#tell(node, `the alias *${node.source} ${what}`)
      return null
    }
    if (!this.#places.has(pathKey(path))) this.#places.set(pathKey(path), { key: undefined, value: node })
    if (isScalar(node)) return typeof node.value === 'string' ? this.#fill(node, node.value, path) : node.value
    const inside = [...open, node]
    if (isSeq(node)) {
      return node.items.map((item, index) => {
        const at = [...path, index]
        const value = isPair(item) ? null : (item as Node)
        if (value) this.#places.set(pathKey(at), { key: undefined, value })
        return this.#convert(document, value, at, inside)
      })
    }
    return isMap(node) ? this.#convertMap(document, node, path, inside) : null
  }

  #convertMap(document: Document.Parsed, map: YAMLMap, path: Path, open: readonly Node[]): object {
    const object: Record<string, unknown> = Object.create(null)
    const merged: Node[] = []
    for (const { key, value } of map.items as { key: ParsedNode | null; value: ParsedNode | null }[]) {
      if (!isScalar(key)) {
        this.#tell(key ?? map, 'a key must be a text')
        continue
      }
      const name = String(key.value)
      if (name === '<<' && key.type === 'PLAIN' && value) {
        merged.push(value)
        continue
      }
      const at = [...path, name]
      if (Object.hasOwn(object, name)) {
        const first = this.#places.get(pathKey(at))?.key?.range?.[0] ?? 0
        this.#tell(key, `${JSON.stringify(name)} is given twice, first in line ${this.#lines.linePos(first).line}`)
        continue
      }
      // What is merged in below does not move the place of what stands here.
      if (!this.#places.has(pathKey(at))) this.#places.set(pathKey(at), { key, value: value ?? undefined })
      object[name] = this.#convert(document, value, at, open)
    }
    for (const node of merged) this.#merge(object, this.#convert(document, node, path, open), node)
    return object
  }

  /** YAML's merge key: what is there already stays. */
  #merge(object: Record<string, unknown>, from: unknown, node: Node): void {
    const maps = Array.isArray(from) ? from : [from]
    if (maps.some((map) => typeof map !== 'object' || map === null || Array.isArray(map))) {
      this.#tell(node, 'what << takes over must be an object, or a list of objects')
      return
    }
    for (const map of maps) {
      for (const [key, value] of Object.entries(map)) if (!Object.hasOwn(object, key)) object[key] = value
    }
  }

  #fill(node: Node, written: string, path: Path): string {
    const { text, substituted, problems } = interpolate(written, this.#environment)
    if (substituted) this.#substituted.set(pathKey(path), written)
    const [from, to] = node.range ?? [0, 0]
    for (const problem of problems) {
      const found = this.#text.slice(from, to).indexOf(problem.written)
      const start = from + Math.max(0, found)
      const end = found < 0 ? to : start + problem.written.length
      this.mistakes.push(this.#at(start, end, path, problem.message, true))
    }
    return text
  }

  #tell(node: Node, message: string): void {
    const [from, to] = node.range ?? [0, 1]
    if (this.mistakes.length < MAX_MISTAKES) this.mistakes.push(this.#at(from, to, [], message))
  }

  /** A line with its secrets, which are looked for once, since thousands of mistakes may stand in one line. */
  #lineAt(line: number): Line {
    const known = this.#knownLines.get(line)
    if (known) return known
    const start = this.#lines.lineStarts[line - 1] ?? 0
    const next = this.#text.indexOf('\n', start)
    const text = this.#text.slice(start, next < 0 ? undefined : next).replace(/\r$/, '')
    const found = { text, end: text.trimEnd().length, secrets: [...secretsIn(text), ...credentials(text)] }
    this.#knownLines.set(line, found)
    return found
  }

  /** `isName`: what is meant is the name of a variable, which may be shown also where values may not. */
  #at(from: number, to: number, path: Path, message: string, isName = false): Mistake {
    const { line, col } = this.#lines.linePos(Math.min(from, this.#text.length))
    const { text: whole, end, secrets } = this.#lineAt(line)
    const first = Math.min(Math.max(0, col - 1), whole.length)
    const last = Math.max(first, Math.min(first + to - from, end))
    const hides = !isName && path.some((part) => PRIVATE.has(part))
    const shown = excerptOf(whole, first, last, [...secrets, ...(hides ? [{ from: first, to: last }] : [])])
    return { file: this.#file, line: Math.max(1, line), column: first + 1, message: masked(message), excerpt: shown }
  }
}

/** The part of a long line around what is meant, with `***` for the secrets. */
function excerptOf(line: string, first: number, last: number, secrets: readonly Range[]) {
  // Only this part is masked: a secret that begins or ends outside of it is cut to it.
  const from = Math.max(0, first - 4 * WIDTH)
  const to = Math.min(line.length, first + 4 * WIDTH)
  const near = secrets
    .filter((secret) => secret.from < to && secret.to > from)
    .map((secret) => ({ from: Math.max(0, secret.from - from), to: Math.min(to, secret.to) - from }))
  const { text, at } = mask(line.slice(from, to), near)
  return windowOn(text, at(first - from), at(Math.min(last, to) - from))
}

/** The part of a long line around what is meant. */
function windowOn(text: string, from: number, to: number): { text: string; from: number; length: number } {
  const begin = to <= WIDTH ? 0 : Math.max(0, from - 30)
  const end = begin + WIDTH
  const prefix = begin > 0 ? '…' : ''
  const shown = prefix + text.slice(begin, end) + (text.length > end ? '…' : '')
  const start = from - begin + prefix.length
  const length = Math.max(1, Math.min(to, end) - from)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a file may have anything in it, and a terminal would obey
  return { text: shown.replace(/\t/g, ' ').replace(/[\0-\x1f\x7f-\x9f]/g, '�'), from: start, length }
}

/** The parser's messages begin with a capital letter and may have lines of their own. */
function sentence(message: string): string {
  const text = message.replace(/\s+/g, ' ').trim()
  const remedy = /reserved character|indicator character|unexpected scalar|alias/i.test(text)
    ? '; put quotes around the value'
    : ''
  return `not valid YAML: ${text.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase())}${remedy}`
}

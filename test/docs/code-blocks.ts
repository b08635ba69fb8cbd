import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** A fenced block of a page of the documentation. */
export interface CodeBlock {
  readonly page: string
  readonly line: number
  readonly language: string
  readonly code: string
  /** The name that another block of the page imports it by, from a comment before it: `<!-- file: name.ts -->`. */
  readonly file: string | undefined
}

/** The README and every page under docs. */
export function pages(): string[] {
  const docs = readdirSync(join(root, 'docs'), { recursive: true }).map((file) => join('docs', String(file)))
  return ['README.md', ...docs.filter((file) => file.endsWith('.md')).sort()]
}

/** All fenced blocks of a page. */
export function codeBlocks(page: string): CodeBlock[] {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/^(?:<!-- file: (\S+) -->\n)?```(\w*)\n(.*?)^```$/gms)].map((match) => ({
    page,
    line: text.slice(0, match.index).split('\n').length,
    language: match[2] ?? '',
    code: match[3] ?? '',
    file: match[1],
  }))
}

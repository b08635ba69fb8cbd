import type { z } from 'zod'
import type { Path } from './mistake.ts'
import { suggestion } from './nearest.ts'

/** What is wrong at a place of the value. */
export interface Finding {
  readonly path: Path
  readonly at: 'key' | 'value'
  /** Begins with the option's name; what it belongs to is put before it. */
  readonly message: string
  /** The type that was expected, where that is a boolean or a number. */
  readonly expected?: 'boolean' | 'number' | undefined
}

/** The options of each object of the schema, for the unknown ones: by the path with `*` for names and indices. */
export type OptionsAt = (path: Path) => readonly string[]

/** What the schema found, one finding for each mistake. */
export function findingsOf(issues: readonly z.core.$ZodIssue[], value: unknown, optionsAt: OptionsAt): Finding[] {
  return issues.flatMap((issue) => flatten(issue, [], value, optionsAt))
}

function flatten(issue: z.core.$ZodIssue, before: Path, root: unknown, optionsAt: OptionsAt): Finding[] {
  const path: Path = [...before, ...(issue.path as (string | number)[])]
  const value = valueAt(root, path)
  if (issue.code === 'unrecognized_keys') {
    const options = optionsAt(path)
    return issue.keys.map((key) => ({ path: [...path, key], at: 'key', message: unknownOption(key, options) }))
  }
  if (issue.code === 'invalid_union' && isObject(value)) {
    // An object was given, so the object is what was meant: tell what is wrong with that.
    const branch = issue.errors.find(
      (issues) => !issues.some(({ path, code }) => path.length === 0 && code !== 'unrecognized_keys'),
    )
    if (branch?.length) return branch.flatMap((inner) => flatten(inner, path, root, optionsAt))
  }
  const name = nameOf(path)
  if (value === undefined) return [{ path, at: 'key', message: `${name} is missing: it ${issue.message}` }]
  const near =
    issue.code === 'invalid_value' && typeof value === 'string'
      ? suggestion(value, issue.values.map(String), '').replace(/^;(?! did).*/, '')
      : ''
  const wanted = issue.code === 'invalid_type' ? issue.expected : undefined
  const expected = wanted === 'boolean' || wanted === 'number' ? (wanted as Finding['expected']) : undefined
  return [{ path, at: 'value', message: `${name} ${issue.message}${near}`.trimStart(), expected }]
}

function unknownOption(key: string, options: readonly string[]): string {
  const shown = JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}…` : key)
  return `unknown option ${shown}${suggestion(key, options, 'the options are')}`
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** An option as it is called within its job or store: `catchUp.window`, `exec[1]`. */
export function nameOf(path: Path): string {
  const inside =
    path[0] === 'jobs' || path[0] === 'stores' ? path.slice(2) : path[0] === 'defaults' ? path.slice(1) : path
  return inside
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join('')
}

/** What an option belongs to, for messages: `job "nightly": `, or nothing at the top. */
export function ownerOf(path: Path, root: unknown): string {
  const [first, second] = path
  if (first === 'defaults' && path.length > 1) return 'defaults: '
  if (first === 'stores' && typeof second === 'string') return `store ${JSON.stringify(second)}: `
  if (first !== 'jobs' || typeof second !== 'number') return ''
  const name = valueAt(root, ['jobs', second, 'name'])
  return typeof name === 'string' && name !== '' && name.length <= 60
    ? `job ${JSON.stringify(name)}: `
    : `jobs[${second}]: `
}

/** What stands at a path, or `undefined`. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string | number, unknown>)[part]
  }
  return value
}

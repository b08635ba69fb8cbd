import { interpolate } from './interpolate.ts'
import { masked } from './mask.ts'
import type { Mistake, Path } from './mistake.ts'
import { pathKey, type Source, showPath } from './source.ts'

const MAX_DEPTH = 50

/**
 * What a config in TypeScript or JavaScript exports. Its values have no places in the file; mistakes are reported by
 * the path to them.
 */
export function programSource(file: string, exported: unknown, environment: NodeJS.ProcessEnv): Source {
  const mistakes: Mistake[] = []
  const substituted = new Map<string, string>()
  const at = (path: Path, message: string): Mistake => {
    const where = path.length === 0 ? '' : `${showPath(path)}: `
    return { file, line: undefined, column: undefined, message: masked(where + message), excerpt: undefined }
  }

  const convert = (value: unknown, path: Path): unknown => {
    if (path.length > MAX_DEPTH) {
      mistakes.push(at(path.slice(0, 3), 'it is nested too deeply, or contains itself'))
      return null
    }
    if (typeof value === 'string') {
      const filled = interpolate(value, environment)
      if (filled.substituted) substituted.set(pathKey(path), value)
      mistakes.push(...filled.problems.map(({ message }) => at(path, message)))
      return filled.text
    }
    if (Array.isArray(value)) return value.map((item, index) => convert(item, [...path, index]))
    if (typeof value !== 'object' || value === null) return value
    const copy: Record<string, unknown> = Object.create(null)
    for (const [key, item] of Object.entries(value)) if (item !== undefined) copy[key] = convert(item, [...path, key])
    return copy
  }

  return {
    value: convert(exported, []),
    mistakes,
    substituted: (path) => substituted.has(pathKey(path)),
    written: (path) => substituted.get(pathKey(path)),
    mistake: (path, _, message) => at(path, message),
  }
}

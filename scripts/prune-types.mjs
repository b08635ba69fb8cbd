// Removes the declarations that no entry point leads to: nobody can import them.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

export function pruneTypes(folder, entries) {
  const kept = new Set()
  const waiting = entries.map((entry) => resolve(entry))
  for (let file = waiting.pop(); file; file = waiting.pop()) {
    if (kept.has(file)) continue
    kept.add(file)
    const imports = readFileSync(file, 'utf8').matchAll(/(?:from |import\()['"](\.[^'"]*)\.[jt]s['"]/g)
    for (const [, path] of imports) waiting.push(resolve(dirname(file), `${path}.d.ts`))
  }
  for (const file of readdirSync(folder, { recursive: true })) {
    const path = join(folder, String(file))
    if (path.endsWith('.d.ts') && !kept.has(path)) rmSync(path)
  }
}

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const files = ['src', 'providers'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .map((file) => join(folder, String(file)))
    .filter((file) => file.endsWith('.ts')),
)

interface Import {
  readonly from: string
  readonly to: string
  /** By `import()`, when it is wanted. */
  readonly lazy: boolean
}

const imports: readonly Import[] = files.flatMap((from) => {
  const text = readFileSync(join(root, from), 'utf8').replace(/\/\*.*?\*\//gs, '')
  return [...text.matchAll(/(?:from|import)\s*(\(?)\s*'([^']+)'/g)].map(([, call, to = '']) => ({
    from,
    lazy: call !== '',
    to: to.startsWith('.') ? relative(root, resolve(root, dirname(from), to)) : to,
  }))
})

/** The layers, each of which may import only itself and those after it. */
const LAYERS = [
  'cli',
  'dashboard',
  'prometheus',
  'opentelemetry',
  'telemetry',
  'health',
  'history',
  'serve',
  'web',
  'format',
  'runner',
  'config',
  'scheduler',
  'locker',
  'lock',
  'provider',
]
const layerOf = (file: string): number => LAYERS.findIndex((layer) => file.startsWith(`src/${layer}/`))
/** The one file of src that knows the providers. */
const STORE_KINDS = 'src/config/store-kinds.ts'
/** What stands on the core. */
const OUTER = /^src\/(cli|runner|config|dashboard|health|history|opentelemetry|prometheus|serve|telemetry|web|format)\//
const BASE = /^src\/(abort|errors|duration|clock|options|logger)\.ts$/

describe('imports', () => {
  it('point one way through the layers of src', () => {
    const wrong = imports.filter(({ from, to }) => {
      if (!to.startsWith('src/') || from === 'src/index.ts' || from.startsWith('src/testing/')) return false
      if (BASE.test(from)) return !BASE.test(to)
      return layerOf(from) >= 0 && !BASE.test(to) && layerOf(to) < layerOf(from)
    })
    expect(wrong).toEqual([])
  })

  it('have no circle, also of types alone', () => {
    const targets = new Map<string, string[]>()
    for (const { from, to } of imports.filter(({ lazy }) => !lazy))
      targets.set(from, [...(targets.get(from) ?? []), to])
    // A file without imports of files that are left is in no circle: taking such files out leaves the circles, and what
    // leads to them.
    for (let before = -1; before !== targets.size; ) {
      before = targets.size
      for (const [file, to] of targets) if (!to.some((target) => targets.has(target))) targets.delete(file)
    }
    expect([...targets.keys()]).toEqual([])
  })

  it('lead from a provider only to the contract, errors, durations and shared SQL, never to another provider', () => {
    const wrong = imports.filter(({ from, to }) => {
      if (!from.startsWith('providers/')) return false
      const own = from.split('/').slice(0, 2).join('/')
      return to.startsWith('src/')
        ? !/^src\/(provider\/.*|errors|duration|options|clients\/transaction)\.ts$/.test(to)
        : to.startsWith('providers/') && !to.startsWith(`${own}/`)
    })
    expect(wrong).toEqual([])
  })

  it('never lead from src to a provider but by the one map from URLs to providers, or from the core to the testing kit', () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        from.startsWith('src/') &&
        from !== STORE_KINDS &&
        (to.startsWith('providers/') || (to.startsWith('src/testing/') && !from.startsWith('src/testing/'))),
    )
    expect(wrong).toEqual([])
  })

  it('of the map from URLs to providers load each provider when it is wanted, and all of them are there', () => {
    const text = readFileSync(join(root, STORE_KINDS), 'utf8')
    const mapped = imports.filter(({ from, to }) => from === STORE_KINDS && to.startsWith('providers/'))
    for (const { to } of mapped) expect(text).not.toMatch(new RegExp(`from '[^']*${to}'`))
    const folders = readdirSync(join(root, 'providers')).map((name) => `providers/${name}/index.ts`)
    expect([...new Set(mapped.map(({ to }) => to))].sort()).toEqual(folders.sort())
  })

  it('never lead from the core, or from an entry of it, to what stands on it', () => {
    const wrong = imports.filter(({ from, to }) => !OUTER.test(from) && OUTER.test(to))
    expect(wrong).toEqual([])
  })

  it('of the entry ticklock/config lead to no package', () => {
    const reached = new Set(['src/config/index.ts'])
    for (const from of reached) {
      const text = readFileSync(join(root, from), 'utf8')
      for (const [, to = ''] of text.matchAll(/^(?:export|import)(?! type).*from '(\.[^']+)'/gms))
        reached.add(relative(root, resolve(root, dirname(from), to)))
    }
    expect([...reached]).toEqual(['src/config/index.ts', 'src/config/config.ts'])
  })

  it('never lead from the core to what hangs off its side', () => {
    const aside = /^src\/(locked|decorators|adapters|clients)\//
    // Providers that join a user's transaction know it by what the clients know of it.
    const wrong = imports.filter(
      ({ from, to }) => aside.test(to) && !aside.test(from) && !from.endsWith('/transactions.ts'),
    )
    expect(wrong).toEqual([])
  })

  it('of packages are croner alone in the core, frameworks in their adapters, and drivers only where they are loaded when a URL is given', () => {
    const packages = imports.filter(({ to }) => !/^(src|providers)\/|^node:/.test(to))
    const aside = ({ from }: Import): boolean => from.startsWith('src/adapters/')
    expect(packages.filter((each) => each.from.startsWith('src/') && !aside(each) && !OUTER.test(each.from))).toEqual([
      { from: 'src/scheduler/plan/cron-pattern.ts', lazy: false, to: 'croner' },
    ])
    // An adapter of a framework imports that one; all others know their libraries by structural types alone.
    const frameworks = packages.filter(aside).map(({ from, to }) => `${from.split('/')[2]}: ${to.split('/')[0]}`)
    expect([...new Set(frameworks)].sort()).toEqual(['fastify.ts: fastify', 'nestjs: @nestjs'])
    for (const { from, to } of packages.filter(({ from }) => from.startsWith('providers/'))) {
      const text = readFileSync(join(root, from), 'utf8')
      expect(text, `${from} loads ${to}`).toContain(`import('${to}')`)
    }
  })
})

describe('exports', () => {
  interface Target {
    readonly types: string
    readonly default: string
  }
  const { exports, typesVersions } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, { readonly import: Target; readonly require: Target } | string>
    typesVersions: { readonly '*': Record<string, readonly string[]> }
  }

  it('each have their source, for import, require() and compilers without exports alike, and each provider its entry', () => {
    for (const [name, entry] of Object.entries(exports)) {
      if (typeof entry === 'string') continue
      const source = entry.import.default.replace('./dist/', '').replace(/\.js$/, '.ts')
      expect(existsSync(join(root, source)), source).toBe(true)
      const types = entry.import.types.replace('./dist/', './dist/cjs/')
      expect(entry.import.types).toBe(entry.import.default.replace(/\.js$/, '.d.ts'))
      expect(entry.require).toEqual({ types, default: types.replace(/\.d\.ts$/, '.js') })
      if (name !== '.') expect(typesVersions['*'][name.slice(2)]).toEqual([types])
    }
    const providers = readdirSync(join(root, 'providers')).map((name) => `./${name}`)
    expect(Object.keys(exports)).toEqual(expect.arrayContaining(providers))
  })

  it('need no top-level await, so that require() works', () => {
    const awaiting = files.filter((file) =>
      /^(export )?(const .*= )?await /m.test(readFileSync(join(root, file), 'utf8')),
    )
    expect(awaiting).toEqual([])
  })
})

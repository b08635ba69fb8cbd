// Puts what the command and the dashboard use of other packages into dist, so that an app with ticklock installs a few packages in place of
// forty. Nothing that lies outside of `package.json`'s dependencies is left to be resolved in the app, except for peers.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { build } from 'esbuild'

/** `import A, { b as c } from 'x'` and `const x_1 = require("x")`, as the compiler writes them, each on a line of its own. */
const IMPORT =
  /^(?:import\s+(?:(\w+)\s*,?\s*)?(?:\{([^}]*)\})?\s*from\s*|(?:const|import) .*\brequire\()(['"])([a-z@][^'"]*)\3/gm

const packageOf = (specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')

/** The compiled files below a folder, without the other build. */
const scripts = (folder, other) =>
  readdirSync(folder, { recursive: true })
    .map((file) => join(folder, String(file)))
    .filter((file) => file.endsWith('.js') && !file.startsWith(other) && !file.includes('/page/'))

/** Bundles what the files of one build import from development dependencies, and lets them import the bundles. */
export async function vendor({ root, folder, other, format }) {
  const { devDependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const isOurs = (specifier) => {
    const name = packageOf(specifier)
    return name in devDependencies && !(name in peerDependencies) && name !== 'vitest'
  }
  const names = new Map()
  const files = scripts(folder, other)
  for (const file of files) {
    for (const [, standard, named = '', , specifier] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      if (!isOurs(specifier)) continue
      const used = names.get(specifier) ?? names.set(specifier, new Set()).get(specifier)
      if (standard) used.add('default')
      for (const name of named
        .split(',')
        .map((each) => each.trim())
        .filter(Boolean))
        used.add(name.split(' as ')[0])
    }
  }
  const vendored = join(folder, 'vendor')
  const fileOf = (specifier) => specifier.replace(/^@/, '').replaceAll('/', '-')
  const entries = [...names].map(([specifier, used]) => {
    const contents =
      format === 'esm'
        ? `export { ${[...used].join(', ')} } from '${specifier}'`
        : `module.exports = require('${specifier}')`
    return [fileOf(specifier), contents]
  })
  const bundled = await build({
    entryPoints: entries.map(([name]) => ({ in: `vendor:${name}`, out: name })),
    plugins: [virtual(new Map(entries), root)],
    outdir: vendored,
    bundle: true,
    splitting: format === 'esm',
    format,
    platform: 'node',
    target: 'node20',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    // What is CommonJS inside asks for Node's own modules by require().
    ...(format === 'esm' && {
      banner: { js: "import { createRequire as r } from 'node:module';const require=r(import.meta.url);" },
    }),
  })
  for (const file of files) {
    const text = readFileSync(file, 'utf8')
    const rewritten = text.replace(IMPORT, (line, _standard, _named, quote, specifier) => {
      if (!names.has(specifier)) return line
      const to = relative(dirname(file), join(vendored, `${fileOf(specifier)}.js`))
      return line.replace(`${quote}${specifier}${quote}`, `${quote}${to.startsWith('.') ? to : `./${to}`}${quote}`)
    })
    if (rewritten !== text) writeFileSync(file, rewritten)
  }
  return new Set(
    Object.keys(bundled.metafile.inputs).flatMap(
      (input) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? [],
    ),
  )
}

const virtual = (contents, root) => ({
  name: 'vendor',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^vendor:/ }, ({ path }) => ({ path, namespace: 'vendor' }))
    onLoad({ filter: /.*/, namespace: 'vendor' }, ({ path }) => ({
      contents: contents.get(path.slice('vendor:'.length)),
      resolveDir: root,
    }))
  },
})

/** The licences of all that was bundled. */
export function licences(root, packages) {
  return [...packages]
    .sort()
    .map((name) => {
      const folder = join(root, 'node_modules', name)
      const { version, license } = createRequire(import.meta.url)(join(folder, 'package.json'))
      const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each))
      const text = file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8').trim() : license
      return `${name} ${version} (${license})\n\n${text}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = fileURLToPath(new URL('./', import.meta.url))

/** What TypeScript's compiler makes of the fixtures under one setting. */
export interface Compiled {
  /** The compiler's complaints; empty when there are none. */
  readonly errors: string
  import<Module>(file: string): Promise<Module>
  text(file: string): string
  remove(): void
}

/**
 * Compiles fixtures as a user's project would, with `tsc` and these options, into a folder inside the project, so that they find the built
 * package by its name.
 */
export function compile(files: readonly string[], options: object): Compiled {
  const folder = mkdtempSync(join(here, '.compiled-'))
  const config = {
    compilerOptions: {
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable', 'esnext.decorators'],
      module: 'nodenext',
      types: ['node'],
      strict: true,
      skipLibCheck: true,
      rootDir: '../fixtures',
      outDir: 'out',
      ...options,
    },
    files: files.map((file) => `../fixtures/${file}.ts`),
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' })
  return {
    errors: stdout,
    import: (file) => import(/* @vite-ignore */ pathToFileURL(join(folder, 'out', `${file}.js`)).href),
    text: (file) => readFileSync(join(folder, 'out', `${file}.js`), 'utf8'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

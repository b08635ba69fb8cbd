import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Mutant } from './mutants.ts'

export interface Caught {
  /** The check that saw it. */
  readonly check: string
  readonly seed: number
  /** How many ticks were judged before. */
  readonly ticks: number
  readonly ms: number
}

const ROOT = resolve(import.meta.dirname, '../..')
/** What `npm run simulate` has compiled: not to be copied with the sources. */
const COMPILED = join(ROOT, 'test/simulation/dist')

/** Runs the simulation on a mutant, in a process of its own, from this seed on until a check catches it or the seconds are over. */
export async function runMutant(mutant: Mutant, from: number, seconds: number): Promise<Caught | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'ticklock-mutant-'))
  try {
    await build(mutant, folder)
    const args = ['--import', 'tsx', 'test/simulation/mutant-budget.ts', String(from), String(seconds)]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder })
    return stdout === '' ? undefined : (JSON.parse(stdout) as Caught)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Copies the product and the simulation, and breaks the copy. */
async function build({ name, file, replace, by }: Mutant, folder: string): Promise<void> {
  for (const part of ['src', 'providers', 'test/simulation', 'package.json', 'tsconfig.json'])
    await cp(join(ROOT, part), join(folder, part), { recursive: true, filter: (path) => !path.startsWith(COMPILED) })
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  const text = await readFile(join(folder, file), 'utf8')
  const times = text.split(replace).length - 1
  if (times !== 1) throw new Error(`mutant ${name}: its text stands ${times} times in ${file}, not once`)
  await writeFile(
    join(folder, file),
    text.replace(replace, () => by),
  )
}

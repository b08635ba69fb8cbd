// npm run simulate:mutants -- [--seconds N] [--only TEXT]: the simulation on mutants of the product, each of which has to be caught
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { type Mutant, mutants } from './mutants.ts'

interface Caught {
  readonly check: string
  readonly seed: number
  readonly ticks: number
  readonly ms: number
}

const ROOT = resolve(import.meta.dirname, '../..')
const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '40' }, only: { type: 'string', default: '' } },
})

/** Copies the product and the simulation, and breaks the copy. */
async function build({ name, file, replace, by }: Mutant): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ticklock-mutant-'))
  for (const part of ['src', 'providers', 'test/simulation', 'package.json', 'tsconfig.json'])
    await cp(join(ROOT, part), join(folder, part), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  const text = await readFile(join(folder, file), 'utf8')
  const times = text.split(replace).length - 1
  if (times !== 1) throw new Error(`mutant ${name}: its text stands ${times} times in ${file}, not once`)
  await writeFile(
    join(folder, file),
    text.replace(replace, () => by),
  )
  return folder
}

async function attack(mutant: Mutant): Promise<Caught | undefined> {
  const folder = await build(mutant)
  try {
    const args = ['--import', 'tsx', 'test/simulation/mutant-budget.ts', '1', values.seconds]
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      cwd: folder,
      timeout: Number(values.seconds) * 3_000,
    })
    return stdout === '' ? undefined : (JSON.parse(stdout) as Caught)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const left = mutants.filter(({ name }) => name.includes(values.only))
const rows: string[] = []
let survivors = 0
async function next(): Promise<void> {
  for (let mutant = left.shift(); mutant; mutant = left.shift()) {
    const { rule, name } = mutant
    const caught = await attack(mutant).catch((error: Error) => error)
    if (caught instanceof Error || !caught) survivors++
    const found =
      caught instanceof Error
        ? `FAILED: ${caught.message.split('\n')[0]} | | | |`
        : caught
          ? `${caught.check} | ${caught.seed} | ${caught.ticks} | ${caught.ms} |`
          : 'SURVIVED | | | |'
    rows.push(`| ${rule} | ${name} | ${found}`)
    console.error(rows.at(-1))
  }
}
await Promise.all([next(), next()])
console.log(
  `| rule | mutant | caught by | seed | ticks before | ms |\n| --- | --- | --- | ---: | ---: | ---: |\n${rows.sort().join('\n')}`,
)
console.log(`${rows.length - survivors} of ${rows.length} mutants are caught`)
if (survivors > 0) process.exitCode = 1

import { readFileSync } from 'node:fs'
import { dirname, extname, relative } from 'node:path'
import { isInvalidOption } from '../errors.ts'
import { checkJob as checkByScheduler } from '../scheduler/job.ts'
import { Defaults } from '../scheduler/job-options.ts'
import { checkConfig } from './check-config.ts'
import type { Config } from './config.ts'
import { importFile } from './load-module.ts'
import { makePlan } from './make-plan.ts'
import { masked } from './mask.ts'
import { ConfigError, type Mistake } from './mistake.ts'
import type { Plan } from './plan.ts'
import { programSource } from './program-source.ts'
import type { Source } from './source.ts'
import { readYaml } from './yaml-source.ts'

/** Where a config is read. */
export interface ReadContext {
  /** The environment whose values are put in. @default process.env */
  readonly environment?: NodeJS.ProcessEnv
  /** Files are shown relative to this. @default the working directory */
  readonly cwd?: string
}

/**
 * Reads a config file and plans it. Opens no store.
 *
 * @throws {ConfigError} with all mistakes of the file.
 */
export async function readConfig(
  file: string,
  { environment = process.env, cwd = process.cwd() }: ReadContext = {},
): Promise<Plan> {
  const shown = shownFile(file, cwd)
  const source = await sourceOf(file, shown, environment)
  return planOf(source, file, shown)
}

/** As {@link readConfig}, of a text that need not lie on the disk. */
export async function planText(
  text: string,
  file: string,
  { environment = {}, cwd = dirname(file) }: ReadContext = {},
): Promise<Plan> {
  const shown = shownFile(file, cwd)
  return planOf(readYaml(shown, text, environment), file, shown)
}

async function planOf(source: Source, file: string, shown: string): Promise<Plan> {
  const folder = dirname(file)
  // Of a file that can't be read at all there is nothing to check.
  if (source.mistakes.length > 0 && source.value === undefined) throw new ConfigError(inOrder(source.mistakes))
  const { mistakes, stores, value } = await checkConfig(source, folder)
  // What follows from a mistake in the same line is not told as another.
  const further = mistakes.filter(({ line }) => !source.mistakes.some((mistake) => mistake.line === line))
  const all = [...source.mistakes, ...further]
  if (all.length > 0) throw new ConfigError(inOrder(all))
  const plan = makePlan(source, value as Config, file, folder, stores)
  // Whatever the checks above may not know yet: the scheduler has the last word.
  for (const [index, { options }] of plan.jobs.entries()) {
    try {
      checkByScheduler(options, new Defaults(), () => {})
    } catch (error) {
      if (isInvalidOption(error))
        throw new ConfigError([source.mistake(['jobs', index], 'value', masked(error.message))])
      throw new ConfigError([at(shown, String(error))])
    }
  }
  return plan
}

async function sourceOf(file: string, shown: string, environment: NodeJS.ProcessEnv): Promise<Source> {
  if (!/^\.[cm]?[jt]s$/.test(extname(file))) return readYaml(shown, readText(file, shown), environment)
  let exports: Record<string, unknown>
  try {
    exports = await importFile(file)
  } catch (error) {
    throw new ConfigError([
      at(shown, masked(`the file can't be loaded: ${error instanceof Error ? error.message : String(error)}`)),
    ])
  }
  const exported = await (exports.default ?? exports.config)
  if (exported === undefined) throw new ConfigError([at(shown, 'the file must have a default export: the config')])
  return programSource(shown, exported, environment)
}

function readText(file: string, shown: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError([at(shown, `the file can't be read: ${(error as Error).message}`)])
  }
}

const at = (file: string, message: string): Mistake => ({
  file,
  line: undefined,
  column: undefined,
  message,
  excerpt: undefined,
})

function shownFile(file: string, cwd: string): string {
  const path = relative(cwd, file)
  return path === '' || path.startsWith('..') ? file : path
}

const inOrder = (mistakes: readonly Mistake[]): Mistake[] =>
  [...mistakes].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ProcessesOptions, runTwo, type Witnessed } from '../compat/two-processes.ts'

/** Lines that tell of no mishap: Node's on what is experimental, and the libraries' own on a timer that came late on a busy machine. */
const HARMLESS = /.*(ExperimentalWarning|trace-warnings|missed execution).*\n+/gi

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Runs one example in two processes side by side. */
export async function runPair(example: string, options: ProcessesOptions = {}): Promise<Witnessed> {
  const execArgv = ['--import', 'tsx', ...(options.execArgv ?? [])]
  const witnessed = await runTwo(join(root, 'examples', example), { ...options, execArgv })
  return { ...witnessed, errors: witnessed.errors.replace(HARMLESS, '') }
}

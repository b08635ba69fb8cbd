import { once } from 'node:events'
import { forkProgram } from '../harness/fork-program.ts'
import { shortly } from '../harness/shortly.ts'

/** What a process of the benchmark is given, in ms: longer than ours needs by far. */
const TIMEOUT = 60_000

/** What a library was measured with, and what its process told. */
export interface Measured<Told> {
  readonly jobs: number
  readonly told: Told
}

/**
 * What a process of its own tells of a library with so many jobs; or with a tenth of them where so many are too many for it. Undefined when that
 * fails as well. Says each failure in a line.
 */
export async function measureTimers<Told>(
  mode: string,
  library: string,
  jobs: number,
  say: (text: string) => void,
): Promise<Measured<Told> | undefined> {
  for (const count of [jobs, jobs / 10]) {
    const told = await tell<Told>(mode, library, count)
    if (typeof told !== 'string') return { jobs: count, told }
    say(`!!! NOT MEASURED: ${library} with ${count.toLocaleString('en')} jobs: ${told}`)
  }
  return undefined
}

/** A text is the reason why there is nothing told. */
async function tell<Told>(mode: string, library: string, jobs: number): Promise<Told | string> {
  const child = forkProgram(import.meta.url, './node.js', [mode, library, jobs], {
    execArgv: ['--expose-gc', '--max-old-space-size=4096'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let complaint = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (complaint.length < 2_000) complaint += text
  })
  let late = false
  const patience = setTimeout(() => {
    late = true
    child.kill('SIGKILL')
  }, TIMEOUT)
  const ended = once(child, 'close')
  const told = once(child, 'message').then(([message]) => message as Told | string)
  const answer = await Promise.race([told, ended.then(() => undefined)])
  await ended
  clearTimeout(patience)
  return answer ?? (late ? `not done within ${TIMEOUT / 1_000} s` : shortly(complaint) || 'it ended without a word')
}

import { once } from 'node:events'
import { forkProgram } from '../harness/fork-program.ts'

/** What a process of its own tells of a library; undefined when it ended without a word, or took longer than a minute. */
export async function measureTimers<Told>(mode: string, library: string, jobs: number): Promise<Told | undefined> {
  const child = forkProgram(import.meta.url, './node.js', [mode, library, jobs], {
    execArgv: ['--expose-gc', '--max-old-space-size=4096'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit').then(() => undefined)
  const told = once(child, 'message').then(([message]) => message as Told)
  const patience = setTimeout(() => child.kill('SIGKILL'), 60_000)
  const answer = await Promise.race([told, ended])
  await ended
  clearTimeout(patience)
  return answer
}

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('./node.ts', import.meta.url))

/** What a process of its own tells of a library; undefined when it ended without a word, or took longer than a minute. */
export async function measureTimers<Told>(mode: string, library: string, jobs: number): Promise<Told | undefined> {
  const child = fork(PROGRAM, [mode, library, String(jobs)], {
    execArgv: ['--expose-gc', '--max-old-space-size=4096', '--import', 'tsx'],
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

import { type ChildProcess, spawn } from 'node:child_process'

/** Reads process ids, the last one counts; when the pipe closes, ends that process and removes the folder ($1). */
const WATCH = `
server=
while read -r line; do server=$line; done
if [ -n "$server" ]; then
  kill -CONT "$server"
  kill -TERM "$server" && sleep 3
  kill -KILL "$server"
  sleep 0.2
fi
rm -rf -- "$1"
`

/**
 * Sees to it that a server ends and its folder goes when the test process dies, even by SIGKILL: the kernel then closes
 * the pipe between the two. It has a session of its own, so that Ctrl-C doesn't reach it.
 */
export class Watchdog {
  readonly #shell: ChildProcess

  constructor(folder: string) {
    this.#shell = spawn('sh', ['-c', WATCH, 'sh', folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
    this.#shell.unref()
    // It is gone already, by somebody's hand: nothing to tell it.
    this.#shell.stdin?.on('error', () => {})
  }

  /** Watches this process from now on; none when undefined. */
  watch(pid: number | undefined): void {
    this.#shell.stdin?.write(`${pid ?? ''}\n`)
  }

  /** To be called when the server has ended and its folder is gone. */
  dismiss(): void {
    this.#shell.kill('SIGKILL')
  }
}

/*
 * What must not happen: ticklock is killed (kill -9, out of memory), its lease expires, another node takes over, and
 * the command of the first run still works beside it. So one small shell reads from a pipe whose other end only this
 * process has. It is told which groups of processes run; when the pipe ends, it ends them. It does nothing else, and
 * there is one of it however many commands run, from the first on.
 */
import { type ChildProcess, spawn } from 'node:child_process'

/** `+ID` and `-ID` begin and end a group. At the end of its input: SIGTERM to those that are left, and SIGKILL after two seconds. */
const SCRIPT = `
trap '' HUP INT TERM
groups=' '
while read -r line; do
  id=\${line#?}
  case $line in
    +*) groups="$groups$id " ;;
    -*) groups="\${groups%% $id *} \${groups#* $id }" ;;
  esac
done
for id in $groups; do kill -s TERM -- "-$id" && left=yes; done
[ -z "$left" ] || sleep 2
for id in $groups; do kill -s KILL -- "-$id"; done
`

let guard: ChildProcess | undefined

/** Before a group is begun: the guard must know of it at once, and takes its time to start. */
export function readyGuard(): void {
  if (process.platform !== 'win32') guard ??= start()
}

/** From now on the group is ended when this process is. */
export const watchGroup = (id: number): void => send(`+${id}`)

/** The group has ended. */
export const unwatchGroup = (id: number): void => send(`-${id}`)

function send(line: string): void {
  if (process.platform === 'win32') return
  guard ??= start()
  guard.stdin?.write(`${line}\n`)
}

function start(): ChildProcess {
  const shell = spawn('/bin/sh', ['-c', SCRIPT], {
    cwd: '/',
    detached: true,
    env: { PATH: process.env.PATH },
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const gone = (): void => {
    if (guard === shell) guard = undefined
  }
  shell.on('error', gone).on('exit', gone)
  shell.stdin?.on('error', gone)
  shell.unref()
  ;(shell.stdin as { unref?(): void } | null)?.unref?.()
  return shell
}

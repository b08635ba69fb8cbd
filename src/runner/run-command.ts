import type { ChildProcess } from 'node:child_process'
import { statSync } from 'node:fs'
import { constants } from 'node:os'
import type { ExecAction, ShellAction } from '../config/plan.ts'
import { markStillRunning } from '../scheduler/tick/still-running.ts'
import { childEnvironment } from './child-environment.ts'
import { JobFailedError } from './job-failed.ts'
import { logOutput } from './log-output.ts'
import { ProcessGroup } from './process-group.ts'
import type { RunEnvironment } from './run-environment.ts'

/** As a shell has it for what it can't find. */
export const NOT_FOUND = 127
const NOT_EXECUTABLE = 126

/** What is said of a command that outlives SIGKILL. */
export const UNKILLABLE =
  "can't be killed: it belongs to another user or hangs in the kernel, so its lock is left to expire"

/** The exit code of a command that a signal ended, as a shell has it. */
export const codeOfSignal = (signal: NodeJS.Signals): number => 128 + (constants.signals[signal] ?? 0)

/** Runs the command of a job: its output goes to the log line by line. @throws {JobFailedError} */
export async function runCommand(action: ExecAction | ShellAction, context: RunEnvironment): Promise<void> {
  const command = action.kind === 'exec' ? action.command : ['/bin/sh', '-c', action.script]
  const env = { ...childEnvironment(process.env, context.withheld), ...action.env, ...context.environment }
  const group = new ProcessGroup(command, { cwd: action.cwd, env, killAfter: action.killAfter, stdio: 'pipe' })
  logOutput(group.child, context.logger)
  const end = (): void => group.end()
  if (context.signal.aborted) end()
  context.signal.addEventListener('abort', end, { once: true })
  try {
    const { code, signal, unkillable } = await group.ended
    if (unkillable) throw stillRunning(group.child, context.signal.reason)
    if (context.signal.aborted) throw context.signal.reason
    if (signal) throw new JobFailedError(`was ended by ${signal}`, codeOfSignal(signal))
    if (code !== 0) throw new JobFailedError(`exited with code ${code}`, code ?? 1)
  } catch (error) {
    throw notStarted(error, command[0] ?? '', action.cwd) ?? error
  } finally {
    context.signal.removeEventListener('abort', end)
  }
}

function stillRunning(child: ChildProcess, cause: unknown): JobFailedError {
  const reason = cause instanceof Error ? `${cause.message}; ` : ''
  const error = new JobFailedError(`${reason}process ${child.pid} ${UNKILLABLE}`, undefined, { cause })
  return markStillRunning(error, new Promise((resolve) => child.once('exit', resolve)))
}

/** What to throw for a command that could not be started, or `undefined` for another error. */
export function notStarted(error: unknown, program: string, cwd: string): JobFailedError | undefined {
  const { code, syscall } = error as { code?: string; syscall?: string }
  if (!syscall?.startsWith('spawn')) return undefined
  if (!isFolder(cwd))
    return new JobFailedError(`can't be started: there is no folder ${cwd}`, NOT_FOUND, { cause: error })
  if (code === 'ENOENT')
    return new JobFailedError(`can't be started: there is no program ${program}`, NOT_FOUND, { cause: error })
  const why = code === 'EACCES' ? 'it may not be executed' : String(code)
  return new JobFailedError(`can't be started: ${program}: ${why}`, NOT_EXECUTABLE, { cause: error })
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { SystemUser } from './system-user.ts'

const execute = promisify(execFile)

export interface RunOptions extends SystemUser {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

/** Runs a program to its end and answers what it printed; throws with the end of its output when it fails. */
export async function runProgram(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  try {
    const { stdout } = await execute(program, [...args], { maxBuffer: 64 * 1024 * 1024, ...options })
    return stdout
  } catch (error) {
    throw new Error(`${program} failed: ${lastLines(outputOf(error))}`, { cause: error })
  }
}

function outputOf(error: unknown): string {
  const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string }
  return `${stdout}${stderr}`.trim() || message
}

/** The end of a log, on one line, short enough for a message. */
export function lastLines(log: string): string {
  return log.trim().split('\n').slice(-5).join(' | ').slice(-600)
}

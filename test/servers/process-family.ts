import { readFileSync } from 'node:fs'

/** Signals a process and its children: PostgreSQL answers from one child per connection. */
export function signalFamily(pid: number, signal: NodeJS.Signals): void {
  process.kill(pid, signal)
  for (const child of processFamily(pid)) {
    try {
      process.kill(child, signal)
    } catch {
      // It ended on its own meanwhile.
    }
  }
}

/** The children of a process. Known on Linux only; elsewhere a test that freezes PostgreSQL freezes new connections alone. */
export function processFamily(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return children.trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

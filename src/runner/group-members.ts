import { readdirSync, readFileSync } from 'node:fs'

/** Sends a signal to a process, or to a group of them by its negated id. What has ended, or belongs to another user, is left alone. */
export function sendTo(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal)
  } catch {
    // Whether it still runs shows the next look.
  }
}

/**
 * Whether a process of the group still runs. A zombie does not: it has ended, and only its parent has not collected it. Below a PID 1 that
 * reaps no orphans (Node.js does not), it stays for as long as the container lives, and the kernel counts it as a member of its group.
 */
export function isGroupAlive(id: number): boolean {
  try {
    process.kill(-id, 0)
  } catch (error) {
    // EPERM: there are members, but of another user. macOS says so of zombies, too.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM' || process.platform !== 'linux') return false
  }
  if (process.platform !== 'linux') return true
  try {
    return readdirSync('/proc').some((entry) => /^\d+$/.test(entry) && isLivingMember(entry, id))
  } catch {
    return true // No /proc is mounted.
  }
}

/** By `/proc/PID/stat`: id, name in parentheses (which may contain anything), state, parent, group, … and the number of threads. */
function isLivingMember(pid: string, group: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (Number(fields[2]) !== group) return false
    // The first thread of a process may have ended before the others.
    const [state = '', threads] = [fields[0], Number(fields[17])]
    return !'ZXx'.includes(state) || threads > 1
  } catch {
    return false // It has ended meanwhile.
  }
}

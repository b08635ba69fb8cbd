import type { History } from './history.ts'
import type { Violate } from './judge.ts'

/** A node ends by order, or by what chaos does to it: killed, or out of memory, which Node ends with an abort. */
export function judgeProcesses({ lives }: History, violate: Violate): void {
  for (const { life, how } of lives.values()) {
    if (how !== undefined && !['0', 'SIGKILL', 'SIGABRT', '134'].includes(how))
      violate('process', `${life} ended: ${how}`)
  }
}

import type { Readable } from 'node:stream'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../logger.ts'
import { Lines } from './lines.ts'
import { type Amount, OutputBudget, type OutputLimits } from './output-budget.ts'

/** So many lines are logged in one turn of the event loop: timers, leases and signals must not wait for a command that prints fast. */
const LINES_PER_TURN = 100
/** The pause after each chunk that is dropped, in ms. It slows down a command that writes more than some 10 MB/s. */
const DROP_PAUSE = 5

/** Logs the output of a process line by line, within limits. Reads on for as long as anybody holds the output open. */
export function logOutput(
  streams: Readonly<Record<'stdout' | 'stderr', Readable | null>>,
  logger: Logger,
  limits?: OutputLimits,
): void {
  const budget = new OutputBudget((dropped) => logger.warn({ dropped }, describe(dropped)), limits)
  const open = (['stdout', 'stderr'] as const).map((name) => {
    const log = (line: string): void => logger.info({ stream: name }, line)
    return pump(streams[name] ?? [], budget, log)
  })
  void Promise.all(open).then(() => budget.flush())
}

async function pump(
  stream: AsyncIterable<Buffer> | Iterable<Buffer>,
  budget: OutputBudget,
  log: (line: string) => void,
): Promise<void> {
  const lines = new Lines()
  try {
    for await (const chunk of stream) {
      if (budget.isSpent) {
        budget.drop({ lines: lines.skip(chunk), bytes: chunk.length })
        await sleep(DROP_PAUSE, undefined, { ref: false })
      } else await logLines(lines.write(chunk), budget, log)
    }
  } catch {
    // The stream was destroyed: the command could not be started, or its output is gone.
  }
  await logLines(lines.end(), budget, log)
}

async function logLines(lines: readonly string[], budget: OutputBudget, log: (line: string) => void): Promise<void> {
  for (const [index, line] of lines.entries()) {
    if (index > 0 && index % LINES_PER_TURN === 0) await nextTurn()
    if (!budget.take(line.length + 1)) return budget.drop(amountOf(lines.slice(index)))
    log(line)
  }
}

const amountOf = (lines: readonly string[]): Amount => ({
  lines: lines.length,
  bytes: lines.reduce((sum, line) => sum + line.length + 1, 0),
})

const describe = ({ lines, bytes }: Amount): string =>
  `dropped ${lines.toLocaleString('en')} lines (${(bytes / 2 ** 20).toFixed(1)} MiB) of output, which came faster than it is logged`

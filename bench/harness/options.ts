import { parseArgs } from 'node:util'
import type { BenchOptions } from './row.ts'

export const HELP = `npm run bench [-- options]

  --only NAME[,NAME]      rows to run, by name or the beginning of one (default: all)
  --list                  the rows' names
  --json                  prints an array of { name, provider, value, unit, aim, ok }
  --quick                 few rounds and no warm-up: shows whether a row works, and its figures are worth nothing
  --stores NAME[,NAME]    postgres, mariadb, mysql, mongodb, redis, and memory of the row "growth" (default: all)

Of the row "sustained":
  --seconds N             how long (default: 15; ten minutes are 600)
  --processes N[,N]       how many nodes (default: 4)
  --rate N                how many jobs, each due each second (default: 8000)

Of the row "coordinators", to measure a part of its cells (each default: all):
  --seconds N             how long a cell is watched (default: 15); one of graphile-worker, whose jobs are due each minute, takes two minutes
  --processes N[,N]       how many processes (default: 4; the full table has 4,20)
  --rivals NAME[,NAME]    ticklock-postgres, ticklock-redis, node-cron, node-cron-kept, bullmq, croner-redlock,
                          agenda-postgres, agenda-redis, agenda-mongodb, graphile-worker
  --conditions NAME[,NAME] equal, behind-100ms, ahead-2s, behind-40s, paused-5s, killed, store-restarted
  --jobs NAME[,NAME]      instant, 50ms`

/** @throws {TypeError} for an option that isn't known. */
export function readOptions(
  args: readonly string[],
): BenchOptions & { readonly list: boolean; readonly help: boolean } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true },
      list: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      stores: { type: 'string' },
      seconds: { type: 'string', default: '15' },
      processes: { type: 'string', default: '4' },
      rate: { type: 'string', default: '8000' },
      rivals: { type: 'string' },
      conditions: { type: 'string' },
      jobs: { type: 'string' },
    },
  })
  return {
    only: (values.only ?? []).flatMap(listed),
    list: values.list,
    json: values.json,
    quick: values.quick,
    help: values.help,
    stores: listed(values.stores),
    seconds: positive(values.seconds, 'seconds'),
    processes: listed(values.processes).map((text) => positive(text, 'processes')),
    rate: positive(values.rate, 'rate'),
    rivals: listed(values.rivals),
    conditions: listed(values.conditions),
    jobs: listed(values.jobs),
  }
}

const listed = (text: string | undefined): string[] => (text ?? '').split(',').filter(Boolean)

function positive(text: string, option: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number > 0) return number
  throw new TypeError(`--${option} takes whole numbers above 0, not ${JSON.stringify(text)}`)
}

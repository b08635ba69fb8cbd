/* The queries of a request. */
import type { Context } from 'hono'
import { FILTERS, type JobFilter, type JobSort, SORTS } from './overview.ts'
import type { JobsQuery } from './view.ts'

const SHORTEST_SPAN = 1_000
const LONGEST_SPAN = 7 * 86_400_000
const LONGEST_SEARCH = 300

interface Mistake {
  readonly error: string
}

export function readJobsQuery(c: Context): JobsQuery | Mistake {
  const { search = '', filter = 'all', sort = 'status', order = 'asc', page = '1' } = c.req.query()
  if (!isOneOf<JobFilter>(FILTERS, filter)) return { error: `filter must be one of ${FILTERS.join(', ')}` }
  if (!isOneOf<JobSort>(SORTS, sort)) return { error: `sort must be one of ${SORTS.join(', ')}` }
  if (order !== 'asc' && order !== 'desc') return { error: 'order must be asc or desc' }
  if (!/^\d{1,9}$/.test(page)) return { error: 'page must be a whole number from 1' }
  if (search.length > LONGEST_SEARCH) return { error: `search must have ${LONGEST_SEARCH} characters at most` }
  return { search, filter, sort, descending: order === 'desc', page: Number(page) }
}

/** How far back a timeline goes, in ms. */
export function readSpan(c: Context): number | Mistake {
  const span = Number(c.req.query('span') ?? 3_600_000)
  if (span >= SHORTEST_SPAN && span <= LONGEST_SPAN) return span
  return { error: 'span must be from 1 s to 7 days, in ms' }
}

const isOneOf = <T extends string>(known: readonly T[], value: string): value is T =>
  known.some((each) => each === value)

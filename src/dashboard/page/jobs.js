/* The list of jobs. */
import { h } from './dom.js'
import { ago, countdown, inFull, inWords, OUTCOMES, span, when } from './format.js'
import { model, outcomeOf } from './model.js'

/** The columns, and by what the server sorts them. */
const COLUMNS = [
  { title: 'Job', sort: 'name' },
  { title: 'Status', sort: 'status' },
  { title: 'Last success', sort: 'success' },
  { title: 'Took', sort: 'duration' },
  { title: 'Next tick', sort: 'next' },
  { title: 'Last outcomes' },
  { title: 'Holder' },
]

/** The choices of a list whose heads are not seen, as on a phone. */
export const SORTS = COLUMNS.filter(({ sort }) => sort !== undefined)

export const addressOf = (job) => `#/job/${encodeURIComponent(job)}`

/** `order`: what the list is sorted by. `onSort` is called with what a head stands for. */
export function jobRows(jobs, order, onSort, onAct) {
  const heads = COLUMNS.map((column) =>
    h('th', { scope: 'col', ...sortedBy(column, order) }, head(column, order, onSort)),
  )
  return h(
    'table',
    { class: 'cards' },
    h(
      'thead',
      {},
      h('tr', {}, heads, model.canAct && h('th', { scope: 'col' }, h('span', { class: 'hidden' }, 'Actions'))),
    ),
    h(
      'tbody',
      {},
      jobs.flatMap((job) => row(job, onAct)),
    ),
  )
}

const sortedBy = ({ sort }, order) =>
  sort !== undefined && sort === order.sort ? { 'aria-sort': order.descending ? 'descending' : 'ascending' } : {}

function head({ title, sort }, order, onSort) {
  if (sort === undefined) return title
  const arrow = sort !== order.sort ? '' : order.descending ? ' ↓' : ' ↑'
  return h(
    'button',
    { type: 'button', class: 'sort', 'data-key': `sort ${sort}`, onclick: () => onSort(sort) },
    title,
    arrow,
  )
}

function row(job, onAct) {
  const now = model.now()
  const cell = (label, attributes, ...children) => h('td', { 'data-label': label, ...attributes }, children)
  return h(
    'tr',
    { 'data-job': job.name, class: needsSomebody(job) ? 'trouble' : undefined },
    h(
      'td',
      { class: 'name wide' },
      h('a', { href: addressOf(job.name), 'data-key': `open ${job.name}` }, job.name),
      h('span', { class: 'soft small', title: job.pattern }, job.schedule),
      troubles(job).map((text) => h('span', { class: 'small error why', title: text }, text)),
    ),
    cell('Status', { class: 'status' }, badges(job)),
    cell('Last success', { class: 'num' }, lastSuccess(job)),
    cell(
      'Took',
      { class: 'num' },
      job.lastDuration === undefined ? h('span', { class: 'soft' }, '–') : span(job.lastDuration),
    ),
    cell('Next tick', { class: 'num' }, nextOf(job, now)),
    cell('Last outcomes', {}, strip(job.strip)),
    cell('Holder', { class: 'small' }, job.holder ?? h('span', { class: 'soft' }, 'free')),
    model.canAct && h('td', { class: 'actions' }, actions(job, onAct)),
  )
}

const needsSomebody = (job) =>
  job.problem !== undefined || job.failing !== undefined || job.overdueSince !== undefined || job.crashed

/** What is wrong with a job, since when, and where. */
export function troubles(job) {
  const now = model.now()
  const since = (at) => `since ${when(at, now)} (${ago(at, now)})`
  const { problem, failing, overdueSince, crashed } = job
  return [
    problem,
    failing &&
      `failing ${failing.atLeast ? 'at least ' : ''}${since(failing.since)}, last on ${failing.node}${failing.error ? `: ${failing.error}` : ''}`,
    crashed && !failing && 'the last run ended without a release: its node crashed, or lost the lock',
    overdueSince !== undefined &&
      `overdue: expected to succeed by ${when(overdueSince, now)} (${ago(overdueSince, now)})`,
  ].filter(Boolean)
}

export function lastSuccess(job) {
  if (job.lastSuccess === undefined) return h('span', { class: 'soft' }, 'none known')
  const now = model.now()
  return [
    h('time', { 'data-ago': job.lastSuccess, title: inFull(job.lastSuccess) }, ago(job.lastSuccess, now)),
    h('span', { class: 'soft small at' }, when(job.lastSuccess, now)),
  ]
}

export function nextOf(job, now) {
  if (job.paused) return h('span', { class: 'soft' }, 'paused')
  if (job.next === undefined) return h('span', { class: 'soft' }, 'none')
  return [
    h('time', { 'data-next': job.next, title: inFull(job.next, job.timezone) }, countdown(job.next, now)),
    h('span', { class: 'soft small at' }, when(job.next, now)),
  ]
}

export function badges(job) {
  const running = job.strip.some((entry) => outcomeOf(entry) === 'running')
  const all = [
    job.problem !== undefined && ['failed', 'needs repair'],
    job.failing && ['failed', 'failing'],
    job.crashed && ['vanished', 'crashed'],
    job.overdueSince !== undefined && ['failed', 'overdue'],
    job.paused && ['paused', 'paused'],
    running && ['running', 'running'],
  ].filter(Boolean)
  if (all.length === 0) return [h('span', { class: 'soft' }, job.lastSuccess === undefined ? '–' : 'fine')]
  return all.map(([kind, text]) => h('span', { class: `badge ${kind}` }, text))
}

/** The last outcomes, oldest first. */
export function strip(entries) {
  const outcomes = entries.map(outcomeOf)
  const counts = Object.entries(OUTCOMES).flatMap(([outcome, words]) => {
    const count = outcomes.filter((each) => each === outcome).length
    return count > 0 ? [`${count} ${words}`] : []
  })
  return h(
    'span',
    { class: 'strip', role: 'img', 'aria-label': counts.length > 0 ? `last: ${counts.join(', ')}` : 'nothing yet' },
    entries.map((entry, index) =>
      h('i', { class: outcomes[index], title: inWords({ ...entry, outcome: outcomes[index] }) }),
    ),
  )
}

export function actions(job, onAct) {
  if (!model.canAct) return []
  const button = (action, text, title) =>
    h(
      'button',
      {
        type: 'button',
        title,
        'data-action': action,
        'data-key': `${action} ${job.name}`,
        onclick: () => onAct(action, job.name),
      },
      text,
    )
  return [
    job.problem !== undefined && button('reset', 'Reset', 'Repair its record, so that its ticks run again'),
    button('trigger', 'Trigger', 'Run it now, under its lock'),
    job.canPause &&
      (job.paused
        ? button('resume', 'Resume', 'Run its ticks again')
        : button('pause', 'Pause', 'Skip its ticks on every node')),
    job.holder !== undefined && button('unlock', 'Unlock', 'Free its lock, whoever has it'),
  ]
}

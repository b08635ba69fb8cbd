/* The list of jobs. */
import { h } from './dom.js'
import { countdown, OUTCOMES, told } from './format.js'

export function jobRows(model, list) {
  return h(
    'table',
    { class: 'cards' },
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ['Job', 'Next tick', 'Last outcomes', 'Holder', ''].map((text) => h('th', { scope: 'col' }, text)),
      ),
    ),
    h(
      'tbody',
      {},
      list.jobs.map((job) => row(model, job)),
    ),
  )
}

function row(model, job) {
  return h(
    'tr',
    { 'data-job': job.name },
    h(
      'td',
      { class: 'name wide' },
      h('a', { href: `#/job/${encodeURIComponent(job.name)}`, 'data-key': `open ${job.name}` }, job.name),
      badges(model, job),
      h('span', { class: 'soft small', title: job.pattern }, job.schedule),
    ),
    h('td', { class: 'num' }, nextOf(model, job)),
    h('td', {}, strip(model, job.strip)),
    h('td', { class: 'small' }, job.holder ?? h('span', { class: 'soft' }, 'free')),
    h('td', { class: 'actions' }, actions(model, job)),
  )
}

export const nextOf = (model, job) =>
  job.paused
    ? h('span', { class: 'soft' }, 'paused')
    : job.next === undefined
      ? h('span', { class: 'soft' }, 'none')
      : h('time', { 'data-next': job.next }, countdown(job.next, model.now()))

export function badges(model, job) {
  const running = job.strip.some((entry) => model.outcomeOf(entry) === 'running')
  const last = job.strip.findLast((entry) => entry.outcome !== 'running')
  return [
    job.paused && h('span', { class: 'badge paused' }, 'paused'),
    running && h('span', { class: 'badge running' }, 'running'),
    last &&
      (last.outcome === 'failed' || last.outcome === 'lost') &&
      h('span', { class: 'badge failed' }, OUTCOMES[last.outcome]),
  ]
}

/** The last outcomes, oldest first. */
export function strip(model, entries) {
  const outcomes = entries.map((entry) => model.outcomeOf(entry))
  const counts = Object.entries(OUTCOMES).flatMap(([outcome, words]) => {
    const count = outcomes.filter((each) => each === outcome).length
    return count > 0 ? [`${count} ${words}`] : []
  })
  return h(
    'span',
    { class: 'strip', role: 'img', 'aria-label': counts.length > 0 ? `last: ${counts.join(', ')}` : 'nothing yet' },
    entries.map((entry, index) =>
      h('i', { class: outcomes[index], title: told({ ...entry, outcome: outcomes[index] }) }),
    ),
  )
}

export function actions(model, job) {
  const button = (action, text, title) =>
    h(
      'button',
      {
        type: 'button',
        title,
        'data-action': action,
        'data-key': `${action} ${job.name}`,
        onclick: () => model.act(action, job.name),
      },
      text,
    )
  if (!model.canAct) return []
  return [
    button('trigger', 'Trigger', 'Run it now, under its lock'),
    job.canPause &&
      (job.paused
        ? button('resume', 'Resume', 'Run its ticks again')
        : button('pause', 'Pause', 'Skip its ticks on every node')),
    job.holder !== undefined && button('unlock', 'Unlock', 'Free its lock, whoever has it'),
  ]
}

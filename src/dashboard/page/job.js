/* A job's own page: what it is, how long its runs took, and what became of its ticks. */
/* global uPlot */
import { byId, h } from './dom.js'
import { date, OUTCOMES, span, when, ZONE } from './format.js'
import { actions, badges, lastSuccess, nextOf, strip, troubles } from './jobs.js'
import { model, outcomeOf } from './model.js'

export function jobPage(job, onAct) {
  const now = model.now()
  const fact = (name, value) => value !== undefined && h('div', {}, h('dt', {}, name), h('dd', {}, value))
  return [
    h(
      'section',
      { 'data-job': job.name },
      h(
        'div',
        { class: 'head' },
        h('a', { href: '#/', 'aria-label': 'all jobs' }, '← All jobs'),
        h('h2', {}, job.name, badges(job)),
        h('div', { class: 'right actions' }, actions(job, onAct)),
      ),
      troubles(job).map((text) => h('p', { class: 'error trouble' }, text)),
      h(
        'dl',
        {},
        fact('Schedule', h('span', { title: job.pattern }, job.schedule)),
        fact('Next tick', nextOf(job, now)),
        fact(
          'Then',
          job.ticks
            .slice(1, 4)
            .map((tick) => when(tick, now))
            .join(' · ') || 'none',
        ),
        fact('Last success', lastSuccess(job)),
        fact('Last outcomes', strip(job.strip)),
        fact('Lock', job.holder === undefined ? 'free' : `${job.holder}, until ${when(job.heldUntil, now)}`),
        fact('lockAtMostFor', span(job.lockAtMostFor)),
        job.lockAtLeastFor > 0 && fact('lockAtLeastFor', span(job.lockAtLeastFor)),
        job.expectEvery !== undefined && fact('Expected to succeed every', span(job.expectEvery)),
        fact('Metadata', job.metadata),
      ),
    ),
    h(
      'section',
      {},
      h(
        'div',
        { class: 'head' },
        h('h2', {}, 'How long runs took'),
        h('span', { class: 'soft small' }, `times in ${ZONE}`),
      ),
      h('div', { class: 'chart', id: 'chart' }),
    ),
    h(
      'section',
      {},
      h(
        'div',
        { class: 'head' },
        h('h2', {}, 'History'),
        h('span', { class: 'soft small' }, job.historyFailed ? 'could not be read' : `the last ${job.entries.length}`),
      ),
      h('div', { class: 'scroll' }, history(job.entries)),
    ),
  ]
}

function history(entries) {
  if (entries.length === 0) return h('p', { class: 'empty' }, 'Nothing is known of this job yet.')
  const rows = entries.map((entry) => {
    const outcome = outcomeOf(entry)
    const why = entry.error ?? entry.reason
    return h(
      'tr',
      { 'data-outcome': outcome },
      h(
        'td',
        { class: 'num wide' },
        date(entry.scheduledAt),
        h('span', { class: 'soft small' }, entry.kind === 'schedule' ? '' : ` ${entry.kind}`),
      ),
      h('td', { 'data-label': 'Outcome' }, h('span', { class: `outcome ${outcome}` }, OUTCOMES[outcome])),
      h('td', { 'data-label': 'Took', class: 'num' }, entry.duration === undefined ? '' : span(entry.duration)),
      h('td', { 'data-label': 'Node', class: 'small' }, entry.node),
      h('td', { class: `wide small ${entry.error ? 'error' : 'soft'}` }, why),
      h('td', { 'data-label': 'Token', class: 'mono soft' }, entry.fencingToken),
    )
  })
  const heads = ['Tick', 'Outcome', 'Took', 'Node', 'Why', 'Token'].map((text) => h('th', { scope: 'col' }, text))
  return h('table', { class: 'cards' }, h('thead', {}, h('tr', {}, heads)), h('tbody', {}, rows))
}

/** Draws the durations into the page that is there. */
export function drawChart(job) {
  const place = byId('chart')
  if (!place) return
  place.replaceChildren()
  const runs = job.entries.filter(({ duration }) => duration !== undefined).reverse()
  if (runs.length < 2) return place.append(h('p', { class: 'empty' }, 'Two runs make a line.'))
  const style = getComputedStyle(document.documentElement)
  const color = (name) => style.getPropertyValue(name).trim()
  const at = runs.map((run) => run.at / 1_000)
  const values = (wanted) => runs.map((run) => ((run.outcome === 'succeeded') === wanted ? run.duration / 1_000 : null))
  const axis = {
    stroke: color('--soft'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { stroke: color('--line') },
  }
  const dots = (name, label) => ({
    label,
    stroke: color(name),
    fill: color(name),
    width: 0,
    paths: () => null,
    points: { show: true, size: 7, fill: color(name) },
  })
  const options = {
    width: place.clientWidth - 32,
    height: 220,
    cursor: { y: false },
    axes: [axis, { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => span(tick * 1_000)) }],
    series: [{}, dots('--good', 'succeeded'), dots('--bad', 'did not')],
    scales: { y: { range: (_, __, max) => [0, (max || 1) * 1.1] } },
  }
  new uPlot(options, [at, values(true), values(false)], place)
}

/* The first page: who ran what, the jobs, and the nodes. */
import { byId, h, replace } from './dom.js'
import { addressOf, jobRows, SORTS } from './jobs.js'
import { model } from './model.js'
import { nodesTable } from './nodes.js'
import { drawTimeline } from './timeline.js'

const SPANS = { '5 min': 300_000, '1 h': 3_600_000, '24 h': 86_400_000 }
const FILTERS = { all: 'all jobs', failing: 'failing or overdue', running: 'running jobs', paused: 'paused jobs' }

/** What of the jobs is shown. */
export const list = { search: '', filter: 'all', sort: 'status', descending: false, page: 1, shown: undefined }
/** How far back the timeline goes, in ms. */
export const timeline = { width: SPANS['1 h'] }

export const listAddress = () => {
  const { search, filter, sort, descending, page } = list
  const query = new URLSearchParams({ search, filter, sort, order: descending ? 'desc' : 'asc', page })
  return `api/jobs?${query}`
}

/** What the page does when somebody changes what is shown. */
let onTurn = () => {}
let onSpan = async () => {}
let onAct = () => {}

export function showHome(handlers) {
  ;({ onTurn, onSpan, onAct } = handlers)
  replace(byId('main'), jobsSection(), timelineSection(), nodesSection())
  drawList()
  drawLive()
}

const head = (...children) => h('div', { class: 'head' }, children)

function jobsSection() {
  const filters = Object.entries(FILTERS).map(([filter, text]) =>
    h('option', { value: filter, selected: list.filter === filter }, text),
  )
  const sorts = SORTS.map(({ title, sort }) =>
    h('option', { value: sort, selected: list.sort === sort }, `sorted by ${title.toLowerCase()}`),
  )
  return h(
    'section',
    { 'aria-label': 'Jobs' },
    head(
      h('h2', {}, 'Jobs'),
      h('span', { class: 'soft small', id: 'count' }),
      h(
        'div',
        { class: 'right' },
        h('input', {
          id: 'search',
          type: 'search',
          maxlength: 300,
          placeholder: 'Search (press /)',
          'aria-label': 'Search jobs',
          value: list.search,
          'data-key': 'search',
          oninput: onSearch,
        }),
        h(
          'select',
          { id: 'filter', 'aria-label': 'Which jobs', onchange: (event) => turn({ filter: event.target.value }) },
          filters,
        ),
        h(
          'select',
          {
            id: 'sort',
            'aria-label': 'Sort by',
            onchange: (event) => turn({ sort: event.target.value, descending: false }),
          },
          sorts,
        ),
      ),
    ),
    h('div', { id: 'jobs' }),
  )
}

function timelineSection() {
  const legend = ['succeeded', 'failed', 'running', 'skipped', 'missed'].map((outcome) =>
    h('span', { class: outcome }, outcome),
  )
  const spans = Object.entries(SPANS).map(([text, ms]) =>
    h('button', { type: 'button', 'data-span': ms, 'data-key': `span ${text}`, onclick: () => void choose(ms) }, text),
  )
  const section = h(
    'section',
    { 'aria-label': 'Timeline' },
    head(
      h('h2', {}, 'Who ran what'),
      h('div', { class: 'legend' }, legend),
      h('div', { class: 'right' }, h('div', { class: 'group', role: 'group', 'aria-label': 'How far back' }, spans)),
    ),
    h('div', { class: 'lanes', id: 'lanes' }),
  )
  pressSpan(section)
  return section
}

const nodesSection = () =>
  h('section', { 'aria-label': 'Nodes' }, head(h('h2', {}, 'Nodes')), h('div', { id: 'nodes' }))

function pressSpan(within) {
  for (const button of within.querySelectorAll('[data-span]'))
    button.setAttribute('aria-pressed', String(Number(button.dataset.span) === timeline.width))
}

async function choose(ms) {
  timeline.width = ms
  pressSpan(document)
  await onSpan()
  drawLive()
}

function onSearch(event) {
  clearTimeout(onSearch.timer)
  const search = event.target.value
  onSearch.timer = setTimeout(() => turn({ search }), 150)
}

/** Shows the first page of another choice. */
export function turn(change) {
  Object.assign(list, { page: 1 }, change)
  if (byId('filter')) byId('filter').value = list.filter
  if (byId('sort')) byId('sort').value = list.sort
  onTurn()
}

/** A head that is clicked again turns its order around. */
const onSort = (sort) => turn({ sort, descending: list.sort === sort && !list.descending })

export function drawList() {
  const place = byId('jobs')
  const { shown } = list
  if (!place || !shown) return
  const count = shown.total === shown.of ? `${shown.of}` : `${shown.total} of ${shown.of}`
  byId('count').textContent = shown.complete ? count : `${count}, still reading their states…`
  const rows = shown.jobs.length > 0 ? jobRows(shown.jobs, list, onSort, onAct) : nothing()
  const warning =
    shown.historyFailed && h('p', { class: 'error trouble' }, 'The history could not be read: outcomes may be missing.')
  replace(place, warning, rows, shown.pages > 1 && pages(shown))
}

const nothing = () =>
  h('p', { class: 'empty' }, list.filter === 'failing' ? 'Nothing fails, and nothing is overdue.' : 'No such jobs.')

function pages({ page, pages: count }) {
  const button = (text, key, to) =>
    h(
      'button',
      { type: 'button', disabled: to < 1 || to > count, 'data-key': key, onclick: () => turn({ page: to }) },
      text,
    )
  return h(
    'div',
    { class: 'pages' },
    button('← Previous', 'previous', page - 1),
    h('span', { class: 'soft' }, `page ${page} of ${count}`),
    button('Next →', 'next', page + 1),
  )
}

/** What changes with each update: lanes and nodes. */
export function drawLive() {
  const now = model.now()
  const lanes = byId('lanes')
  if (!lanes) return
  drawTimeline(lanes, now - timeline.width, now, (job) => {
    location.hash = addressOf(job)
  })
  if (model.truncated)
    lanes.append(h('p', { class: 'soft small' }, 'More happened in this time: the newest entries are shown.'))
  replace(byId('nodes'), nodesTable())
}

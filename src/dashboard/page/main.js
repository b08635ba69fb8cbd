import { askForToken, confirmed } from './access.js'
import { act, get, hasToken, listen, Refused, setToken } from './api.js'
import { byId, h, replace } from './dom.js'
import { countdown } from './format.js'
import { drawChart, jobPage, nodesTable } from './job.js'
import { jobRows } from './jobs.js'
import { drawTimeline } from './timeline.js'

const SPANS = { '5 min': 300_000, '1 h': 3_600_000, '24 h': 86_400_000 }
/** The most entries that the page keeps. */
const MOST = 4_000

/** What the page knows. */
const model = {
  nodes: new Map(),
  entries: new Map(),
  canAct: false,
  goneAfter: 30_000,
  history: true,
  /** The server's time minus this machine's. */
  ahead: 0,
  now: () => Date.now() + model.ahead,
  /** When a node ended, or was last seen if it is gone; undefined while it lives. */
  endOf: (node) => (node.stopped || model.now() - node.seenAt > model.goneAfter ? node.seenAt : undefined),
  /** A run whose node is gone is not running any more. */
  outcomeOf(entry) {
    if (entry.outcome !== 'running') return entry.outcome
    const node = model.nodes.get(entry.node)
    return node && model.endOf(node) === undefined && node.startedAt <= entry.at + 1_000
      ? 'running'
      : node
        ? 'vanished'
        : 'running'
  },
  vanishedAt: (entry) => Math.max(entry.at, Math.min(model.nodes.get(entry.node)?.seenAt ?? entry.at, model.now())),
  open: (job) => {
    location.hash = `#/job/${encodeURIComponent(job)}`
  },
  act: (action, job) => void perform(action, job),
}

const list = { search: '', filter: 'all', page: 1, shown: undefined }
let width = SPANS['1 h']
let job

function notice(text, bad = false) {
  const place = byId('notice')
  place.className = bad ? 'bad' : ''
  place.textContent = text
  clearTimeout(notice.timer)
  if (!bad) notice.timer = setTimeout(() => (place.textContent = ''), 6_000)
}

async function perform(action, name) {
  if (!hasToken() && !(await askForToken(`To ${action} ${name}, give the token of this page.`))) return
  if (
    action === 'unlock' &&
    !(await confirmed(
      `Unlock ${name}?`,
      'Whoever has the lock loses it. If that node still works, two may run at once.',
    ))
  )
    return
  try {
    const { done } = await act(action, name)
    notice(`${name}: ${done}`)
  } catch (error) {
    if (error instanceof Refused && error.status === 401) setToken(undefined)
    notice(`${name}: ${error.message}`, true)
  }
  showAccess()
  refresh()
}

function showAccess() {
  const button = byId('access')
  button.hidden = !model.canAct
  button.textContent = hasToken() ? 'Forget token' : 'Unlock actions'
}

/* The pages */

function showHome() {
  const spans = Object.entries(SPANS).map(([text, ms]) =>
    h(
      'button',
      {
        type: 'button',
        'aria-pressed': ms === width,
        'data-span': ms,
        'data-key': `span ${text}`,
        onclick: () => choose(ms),
      },
      text,
    ),
  )
  const filters = ['all', 'running', 'paused', 'failing'].map((filter) =>
    h('option', { value: filter, selected: list.filter === filter }, `${filter} jobs`),
  )
  const legend = ['succeeded', 'failed', 'running', 'skipped', 'missed'].map((outcome) =>
    h('span', { class: outcome }, outcome),
  )
  replace(
    byId('main'),
    h(
      'section',
      { 'aria-label': 'Timeline' },
      h(
        'div',
        { class: 'head' },
        h('h2', {}, 'Who ran what'),
        h('div', { class: 'legend' }, legend),
        h('div', { class: 'right' }, h('div', { class: 'group', role: 'group', 'aria-label': 'span' }, spans)),
      ),
      h('div', { class: 'lanes', id: 'lanes' }),
    ),
    h(
      'section',
      { 'aria-label': 'Jobs' },
      h(
        'div',
        { class: 'head' },
        h('h2', {}, 'Jobs'),
        h('span', { class: 'soft small', id: 'count' }),
        h(
          'div',
          { class: 'right' },
          h('input', {
            id: 'search',
            type: 'search',
            placeholder: 'Search (press /)',
            'aria-label': 'Search jobs',
            value: list.search,
            'data-key': 'search',
            oninput: onSearch,
          }),
          h(
            'select',
            {
              id: 'filter',
              'aria-label': 'Which jobs',
              onchange: (event) => turn({ filter: event.target.value, page: 1 }),
            },
            filters,
          ),
        ),
      ),
      h('div', { id: 'jobs' }),
    ),
    h(
      'section',
      { 'aria-label': 'Nodes' },
      h('div', { class: 'head' }, h('h2', {}, 'Nodes')),
      h('div', { id: 'nodes' }),
    ),
  )
  drawList()
  drawLive()
}

function onSearch(event) {
  clearTimeout(onSearch.timer)
  const search = event.target.value
  onSearch.timer = setTimeout(() => turn({ search, page: 1 }), 150)
}

function turn(change) {
  Object.assign(list, change)
  refresh()
}

function drawList() {
  const place = byId('jobs')
  const shown = list.shown
  if (!place || !shown) return
  byId('count').textContent = shown.total === shown.of ? `${shown.of}` : `${shown.total} of ${shown.of}`
  const pages =
    shown.pages > 1 &&
    h(
      'div',
      { class: 'pages' },
      h(
        'button',
        {
          type: 'button',
          disabled: shown.page === 1,
          'data-key': 'back',
          onclick: () => turn({ page: shown.page - 1 }),
        },
        '← Back',
      ),
      h('span', { class: 'soft' }, `page ${shown.page} of ${shown.pages}`),
      h(
        'button',
        {
          type: 'button',
          disabled: shown.page === shown.pages,
          'data-key': 'on',
          onclick: () => turn({ page: shown.page + 1 }),
        },
        'On →',
      ),
    )
  replace(place, shown.jobs.length > 0 ? jobRows(model, shown) : h('p', { class: 'empty' }, 'No such jobs.'), pages)
}

/** What changes with each update: lanes, nodes, and the line at the top. */
function drawLive() {
  const now = model.now()
  const nodes = [...model.nodes.values()]
  const up = nodes.filter((node) => model.endOf(node) === undefined)
  const gone = nodes.filter((node) => model.endOf(node) !== undefined && !node.stopped)
  const running = [...model.entries.values()].filter((entry) => model.outcomeOf(entry) === 'running').length
  replace(
    byId('state'),
    h('span', {}, h('span', { class: `dot ${model.down ? 'bad' : 'good'}` }), model.down ? 'no connection' : 'live'),
    h('span', {}, h('b', {}, up.length), ` node${up.length === 1 ? '' : 's'} up`),
    gone.length > 0 && h('span', {}, h('b', {}, gone.length), ' gone'),
    h('span', {}, h('b', {}, running), ' running'),
  )
  if (byId('lanes')) drawTimeline(byId('lanes'), model, now - width, now)
  if (byId('lanes') && model.truncated)
    byId('lanes').append(h('p', { class: 'soft small' }, 'More happened in this time: the newest entries are shown.'))
  if (byId('nodes')) replace(byId('nodes'), nodesTable(model))
}

async function choose(ms) {
  width = ms
  await loadTimeline()
  for (const button of document.querySelectorAll('[data-span]'))
    button.setAttribute('aria-pressed', String(Number(button.dataset.span) === ms))
  drawLive()
}

async function showJob(name) {
  try {
    job = await get(`api/job?name=${encodeURIComponent(name)}`)
    if (named() !== name) return
    replace(byId('main'), jobPage(model, job))
    drawChart(job)
  } catch (error) {
    replace(byId('main'), h('section', {}, h('p', { class: 'empty' }, `${name}: ${error.message}`)))
  }
}

const named = () => (location.hash.startsWith('#/job/') ? decodeURIComponent(location.hash.slice(6)) : undefined)

function route() {
  const name = named()
  if (name === undefined) {
    showHome()
    if (list.shown === undefined) void refresh()
  } else void showJob(name)
  byId('main').focus({ preventScroll: true })
  scrollTo(0, 0)
}

/* What is asked for */

let refreshing = false
let again = false

async function refresh() {
  if (refreshing) {
    again = true
    return
  }
  refreshing = true
  try {
    const name = named()
    if (name === undefined) {
      list.shown = await get(
        `api/jobs?search=${encodeURIComponent(list.search)}&filter=${list.filter}&page=${list.page}`,
      )
      drawList()
    } else if (job?.name === name) await showJob(name)
  } catch (error) {
    await onRefused(error)
  } finally {
    refreshing = false
    if (again) {
      again = false
      void refresh()
    }
  }
}

async function loadState() {
  try {
    const { title, now, canAct, goneAfter, history } = await get('api')
    Object.assign(model, { canAct, goneAfter, history, ahead: now - Date.now() })
    byId('title').textContent = title
    document.title = title
  } catch (error) {
    await onRefused(error)
  }
}

async function loadNodes() {
  for (const node of await get('api/nodes').catch(() => [])) model.nodes.set(node.label, node)
}

async function loadTimeline() {
  try {
    const { entries, to, truncated } = await get(`api/timeline?span=${width}`)
    model.ahead = to - Date.now()
    model.entries.clear()
    model.truncated = truncated
    for (const entry of entries) model.entries.set(entry.id, entry)
  } catch (error) {
    await onRefused(error)
  }
}

let asking
async function onRefused(error) {
  if (!(error instanceof Refused) || error.status !== 401) return notice(error.message, true)
  asking ??= askForToken('This page is for those who have its token.').finally(() => {
    asking = undefined
  })
  if (await asking) location.reload()
}

let due
function onUpdate({ now, entries, nodes }) {
  model.ahead = now - Date.now()
  model.nodes = new Map(nodes.map((node) => [node.label, node]))
  for (const entry of entries) model.entries.set(entry.id, entry)
  if (model.entries.size > MOST) {
    const oldest = [...model.entries.values()].sort((a, b) => a.at - b.at).slice(0, model.entries.size - MOST)
    for (const { id } of oldest) model.entries.delete(id)
  }
  drawLive()
  // The list is asked for at most once a second, and at least now and then: locks and pauses are no history.
  if (due === undefined) {
    due = setTimeout(
      () => {
        due = undefined
        void refresh()
      },
      entries.length > 0 ? 300 : 4_000,
    )
  }
}

/* What stays */

const THEMES = ['auto', 'light', 'dark']
const dark = matchMedia('(prefers-color-scheme: dark)')
function theme(chosen) {
  localStorage.setItem('ticklock-theme', chosen)
  byId('theme').textContent = `Theme: ${chosen}`
  document.documentElement.dataset.theme = chosen === 'auto' ? (dark.matches ? 'dark' : 'light') : chosen
  if (job && byId('chart')) drawChart(job)
}
const chosenTheme = () => localStorage.getItem('ticklock-theme') ?? 'auto'
dark.addEventListener('change', () => theme(chosenTheme()))
byId('theme').addEventListener('click', () => theme(THEMES[(THEMES.indexOf(chosenTheme()) + 1) % 3]))
byId('access').addEventListener('click', async () => {
  if (hasToken()) setToken(undefined)
  else await askForToken('It lets you trigger, pause, resume and unlock. It stays in this tab.')
  showAccess()
})
addEventListener('hashchange', () => {
  route()
  void refresh()
})
addEventListener('keydown', (event) => {
  if (event.key === '/' && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
    event.preventDefault()
    byId('search')?.focus()
  }
})
setInterval(() => {
  for (const time of document.querySelectorAll('[data-next]'))
    time.textContent = countdown(Number(time.dataset.next), model.now())
}, 500)

theme(chosenTheme())
// All at once: each is an answer of the store.
const first = refresh()
await Promise.all([loadState(), loadNodes(), loadTimeline()])
showAccess()
await first
route()
void listen(
  onUpdate,
  () => {
    model.down = false
  },
  () => {
    model.down = true
    drawLive()
  },
)

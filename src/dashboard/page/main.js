import { confirmed, followAccess, showAccess, signIn } from './access.js'
import { act, follow, get, hasToken, Refused, setToken } from './api.js'
import { byId, h, replace } from './dom.js'
import { ago, countdown } from './format.js'
import { drawList, drawLive, list, listAddress, showHome, timeline, turn } from './home.js'
import { drawChart, jobPage } from './job.js'
import { learn, model } from './model.js'
import { drawState } from './state.js'
import { followTheme } from './theme.js'

/** The job whose page is shown. */
let job

/* What people do */

function notice(text, bad = false) {
  const place = byId('notice')
  place.className = bad ? 'bad' : ''
  place.textContent = text
  clearTimeout(notice.timer)
  if (!bad) notice.timer = setTimeout(() => (place.textContent = ''), 6_000)
}

const RISKY = {
  unlock: 'Whoever has the lock loses it. If that node still works, two may run at once.',
  reset: 'Values that can not be read are replaced, and a last tick in the future becomes the present.',
}

async function perform(action, name) {
  if (!hasToken() && !(await signIn(`To ${action} ${name}, give the token of this page.`))) return
  const verb = action[0].toUpperCase() + action.slice(1)
  if (RISKY[action] && !(await confirmed(`${verb} ${name}?`, RISKY[action], verb))) return
  try {
    const { done } = await act(action, name)
    notice(`${name}: ${done}`)
  } catch (error) {
    if (error instanceof Refused && error.status === 401) setToken(undefined)
    notice(`${name}: ${error.message}`, true)
  }
  showAccess()
  void refresh()
}

/* Which page */

const home = {
  onTurn: () => void refresh(),
  onSpan: () => loadTimeline(),
  onAct: (action, name) => void perform(action, name),
}

/** The name in the address. One that can't be decoded is shown as it stands. */
function named() {
  if (!location.hash.startsWith('#/job/')) return undefined
  const encoded = location.hash.slice('#/job/'.length)
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}

async function showJob(name) {
  try {
    job = await get(`api/job?${new URLSearchParams({ name })}`)
    if (named() !== name) return
    replace(byId('main'), jobPage(job, home.onAct))
    drawChart(job)
  } catch (error) {
    job = undefined
    const back = h('a', { href: '#/' }, '← All jobs')
    replace(byId('main'), h('section', {}, h('p', { class: 'empty' }, `${name}: ${error.message} `, back)))
    if (error instanceof Refused && error.status === 401) await onRefused(error)
  }
}

function route() {
  const name = named()
  if (name === undefined) {
    job = undefined
    showHome(home)
    if (list.shown === undefined) void refresh()
  } else void showJob(name)
  byId('main').focus({ preventScroll: true })
  scrollTo(0, 0)
}

/** Shows the jobs that a count of the header stands for. */
function showFilter(filter) {
  if (named() !== undefined) location.hash = '#/'
  turn({ filter })
}

/* What is loaded */

let refreshing = false
let again = false

/** Loads what is shown anew. What is wanted meanwhile is loaded once, afterwards. */
async function refresh() {
  again = refreshing
  if (refreshing) return
  refreshing = true
  try {
    const name = named()
    if (name === undefined) await loadList()
    else if (job?.name === name) await showJob(name)
  } catch (error) {
    await onRefused(error)
  } finally {
    refreshing = false
    if (again) void refresh()
  }
}

async function loadList() {
  list.shown = await get(listAddress())
  model.counts = list.shown.counts
  drawList()
  drawState(showFilter)
  if (!list.shown.complete) soon(1_000)
}

async function loadState() {
  try {
    const { title, now, canAct, goneAfter } = await get('api')
    Object.assign(model, { canAct, goneAfter, ahead: now - Date.now() })
    byId('title').textContent = title
  } catch (error) {
    await onRefused(error)
  }
}

async function loadNodes() {
  for (const node of await get('api/nodes').catch(() => [])) model.nodes.set(node.label, node)
}

async function loadTimeline() {
  try {
    const { entries, to, truncated } = await get(`api/timeline?span=${timeline.width}`)
    Object.assign(model, { ahead: to - Date.now(), truncated })
    model.entries.clear()
    for (const entry of entries) model.entries.set(entry.id, entry)
  } catch (error) {
    await onRefused(error)
  }
}

async function loadAll() {
  await Promise.all([loadNodes(), loadTimeline()])
  drawAll()
  void refresh()
}

let signingIn
async function onRefused(error) {
  if (!(error instanceof Refused) || error.status !== 401) return notice(error.message, true)
  signingIn ??= signIn('This page is for those who have its token.').finally(() => {
    signingIn = undefined
  })
  if (await signingIn) location.reload()
}

/* What goes on by itself */

let due
let dueAt = 0

/** Refreshes within so many ms. */
function soon(ms) {
  if (due !== undefined && dueAt <= performance.now() + ms) return
  clearTimeout(due)
  dueAt = performance.now() + ms
  due = setTimeout(() => {
    due = undefined
    void refresh()
  }, ms)
}

function drawAll() {
  drawState(showFilter)
  drawLive()
}

function onUpdate(update) {
  learn(update)
  drawAll()
  // Soon when something happened; and now and then in any case: locks and pauses are no history.
  soon(update.entries.length > 0 ? 300 : 4_000)
}

let wasUp = false
function onUp() {
  model.down = false
  if (wasUp) void loadAll()
  wasUp = true
}

function onDown(error) {
  // Too many pages follow: this one asks now and then.
  model.down = !(error instanceof Refused && error.status === 503)
  if (model.down) drawAll()
  else void loadAll()
}

addEventListener('hashchange', () => {
  route()
  void refresh()
})
addEventListener('keydown', (event) => {
  if (event.key !== '/' || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return
  event.preventDefault()
  byId('search')?.focus()
})
setInterval(() => {
  const now = model.now()
  for (const time of document.querySelectorAll('[data-next]'))
    time.textContent = countdown(Number(time.dataset.next), now)
  for (const time of document.querySelectorAll('[data-ago]')) time.textContent = ago(Number(time.dataset.ago), now)
}, 500)

followTheme(() => job && drawChart(job))
followAccess()
// All at once: each is a response of the store.
const first = refresh()
await Promise.all([loadState(), loadNodes(), loadTimeline()])
showAccess()
await first
route()
drawState(showFilter)
void follow({ onUpdate, onUp, onDown })

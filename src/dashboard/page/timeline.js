/* A lane for each node: runs as bars, skips as dots, misses as diamonds. */
import { h, replace, svg } from './dom.js'
import { clock, inWords, ZONE } from './format.js'
import { endOf, model, outcomeOf, vanishedAt } from './model.js'

const WIDTH = 1000
const HEIGHT = 36

/** Draws the lanes from `from` to `to` into an element. `onOpen` is called with the job of a mark that is clicked. */
export function drawTimeline(element, from, to, onOpen) {
  const x = (time) => ((Math.min(Math.max(time, from), to) - from) / (to - from)) * WIDTH
  const byNode = new Map()
  for (const node of model.nodes.values()) {
    if (endOf(node) === undefined || endOf(node) >= from) byNode.set(node.label, [])
  }
  for (const entry of model.entries.values()) {
    const end = entry.at + (entry.duration ?? 0)
    if (entry.outcome !== 'running' && end < from) continue
    if (!byNode.has(entry.node)) byNode.set(entry.node, [])
    byNode.get(entry.node).push(entry)
  }
  const lanes = [...byNode.keys()]
    .sort((a, b) => a.localeCompare(b, undefined, { numeric: true }))
    .map((label) => lane(label, byNode.get(label), x, from, to, onOpen))
  if (lanes.length === 0) return replace(element, h('p', { class: 'empty' }, 'Nothing has happened here yet.'))
  replace(element, lanes, axis(x, from, to))
}

function lane(label, entries, x, from, to, onOpen) {
  const node = model.nodes.get(label)
  const end = node && endOf(node)
  const drawing = svg('svg', {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: 'none',
    role: 'img',
    'aria-label': `${label}: ${entries.length} entries`,
  })
  if (node) {
    const start = x(Math.max(node.startedAt, from))
    drawing.append(
      svg('rect', { class: 'life', x: start, y: 2, width: Math.max(0, x(end ?? to) - start), height: HEIGHT - 4 }),
    )
  }
  // Bars last, on top of the marks of what did not run.
  const order = (entry) => (entry.outcome === 'skipped' ? 0 : entry.outcome === 'missed' ? 1 : 2)
  for (const entry of entries.sort((a, b) => order(a) - order(b) || a.at - b.at))
    drawing.append(mark(entry, x, to, onOpen))
  if (end !== undefined && end >= from) {
    const how = node.stopped ? 'end calm' : 'end'
    drawing.append(
      svg('line', { class: how, x1: x(end), x2: x(end), y1: 0, y2: HEIGHT, 'vector-effect': 'non-scaling-stroke' }),
    )
  }
  const state = end === undefined ? (node ? 'alive' : 'unknown') : node.stopped ? 'ended' : 'gone'
  const dot = { alive: 'dot good', gone: 'dot bad', ended: 'dot', unknown: 'dot' }[state]
  const who = h(
    'div',
    { class: 'who', title: label },
    h('span', { class: dot }),
    label,
    state === 'gone' && h('span', { class: 'badge vanished' }, 'gone'),
    state === 'ended' && h('span', { class: 'soft small' }, ' ended'),
  )
  return h('div', { class: 'lane', 'data-node': label, 'data-state': state, 'data-end': end }, who, drawing)
}

function mark(entry, x, to, onOpen) {
  const outcome = outcomeOf(entry)
  const data = {
    class: `mark ${outcome}`,
    'data-job': entry.job,
    'data-outcome': outcome,
    'data-id': entry.id,
    onclick: () => onOpen(entry.job),
  }
  const title = svg('title', {}, inWords({ ...entry, outcome }))
  const left = x(entry.at)
  if (outcome === 'skipped') return svg('ellipse', { ...data, cx: left, cy: HEIGHT / 2, rx: 2, ry: 3.5 }, title)
  if (outcome === 'missed') {
    const path = `M${left} ${HEIGHT / 2 - 8}l4 8l-4 8l-4 -8z`
    return svg('path', { ...data, d: path }, title)
  }
  const until =
    outcome === 'running' ? to : outcome === 'vanished' ? vanishedAt(entry) : entry.at + (entry.duration ?? 0)
  return svg(
    'rect',
    { ...data, x: left, y: 6, width: Math.max(3, x(until) - left), height: HEIGHT - 12, rx: 1.5 },
    title,
  )
}

function axis(x, from, to) {
  const steps = [10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000, 86_400_000]
  const step = steps.find((each) => (to - from) / each <= 8) ?? 86_400_000
  const narrow = step < 60_000
  const labels = []
  for (let time = Math.ceil(from / step) * step; time < to; time += step) {
    labels.push(
      svg(
        'text',
        { x: `${(x(time) / WIDTH) * 100}%`, y: 12, 'text-anchor': 'middle' },
        narrow ? clock(time) : clock(time).slice(0, 5),
      ),
    )
  }
  return h(
    'div',
    { class: 'axis' },
    h('span', { class: 'soft small zone' }, `times in ${ZONE}`),
    h('div', {}, svg('svg', {}, labels)),
  )
}

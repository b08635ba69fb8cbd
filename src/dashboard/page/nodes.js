/* The nodes that keep history. */
import { h } from './dom.js'
import { ago, span } from './format.js'
import { endOf, model } from './model.js'

const HEADS = ['Node', 'State', 'Time', 'Runs', "Against the store's clock"]

export function nodesTable() {
  const nodes = [...model.nodes.values()].sort((a, b) => a.label.localeCompare(b.label, undefined, { numeric: true }))
  if (nodes.length === 0) return h('p', { class: 'empty' }, 'No node keeps history: call recordHistory(scheduler).')
  const heads = HEADS.map((text) => h('th', { scope: 'col' }, text))
  return h('table', { class: 'cards' }, h('thead', {}, h('tr', {}, heads)), h('tbody', {}, nodes.map(row)))
}

function row(node) {
  const now = model.now()
  const end = endOf(node)
  const state = end === undefined ? 'up' : node.stopped ? 'ended' : 'gone'
  const time = state === 'up' ? `up for ${span(Math.max(0, now - node.startedAt))}` : `seen ${ago(node.seenAt, now)}`
  const skew = `${node.skew > 0 ? '+' : ''}${node.skew} ms`
  const dot = { up: 'good', gone: 'bad', ended: '' }[state]
  return h(
    'tr',
    { 'data-node': node.label, 'data-state': state },
    h('td', { class: 'name wide' }, h('span', { class: `dot ${dot}` }), node.label),
    h('td', { 'data-label': 'State' }, state === 'gone' ? h('span', { class: 'badge vanished' }, 'gone') : state),
    h('td', { 'data-label': 'Time', class: 'num' }, time),
    h('td', { 'data-label': 'Runs', class: 'num' }, state === 'up' ? `${node.running} running` : ''),
    h('td', { 'data-label': 'Clock', class: `num ${Math.abs(node.skew) > 1_000 ? 'error' : ''}` }, skew),
  )
}

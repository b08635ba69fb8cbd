/* The line at the top: is it live, and does anything need somebody? */
import { byId, h, replace } from './dom.js'
import { endOf, model, outcomeOf } from './model.js'

/** `onShow` is called with the filter of a count that is clicked. */
export function drawState(onShow) {
  const nodes = [...model.nodes.values()]
  const up = nodes.filter((node) => endOf(node) === undefined).length
  const gone = nodes.filter((node) => endOf(node) !== undefined && !node.stopped).length
  const running = [...model.entries.values()].filter((entry) => outcomeOf(entry) === 'running').length
  const { failing = 0, paused = 0 } = model.counts ?? {}
  const count = (number, text, filter, bad) =>
    h(
      'button',
      {
        type: 'button',
        class: `count ${bad && number > 0 ? 'bad' : ''}`,
        'data-key': `count ${filter}`,
        onclick: () => onShow(filter),
      },
      h('b', {}, number),
      ` ${text}`,
    )
  replace(
    byId('state'),
    h('span', {}, h('span', { class: `dot ${model.down ? 'bad' : 'good'}` }), model.down ? 'no connection' : 'live'),
    count(failing, 'failing', 'failing', true),
    h('span', {}, h('b', {}, up), ` node${up === 1 ? '' : 's'} up`),
    gone > 0 && h('span', { class: 'error' }, h('b', {}, gone), ' gone'),
    count(running, 'running', 'running'),
    paused > 0 && count(paused, 'paused', 'paused'),
  )
  document.title = `${failing > 0 ? `(${failing}) ` : ''}${byId('title').textContent}`
}

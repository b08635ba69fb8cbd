/* Elements without any HTML: every text becomes a text node, so whatever a job is called stays text. */

const SVG = 'http://www.w3.org/2000/svg'

/** An element with attributes (`on…`: listeners, `class`, `data-…`), and children that are nodes or texts. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children)
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children)
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else element.setAttribute(name, value === true ? '' : String(value))
  }
  for (const child of children.flat(Number.POSITIVE_INFINITY)) {
    if (child === undefined || child === null || child === false) continue
    element.append(child instanceof Node ? child : String(child))
  }
  return element
}

export const byId = (id) => document.getElementById(id)

/** Puts children in place of those that are there, and gives the focus back to what had it, by its `data-key`. */
export function replace(element, ...children) {
  const key = element.contains(document.activeElement) ? document.activeElement.dataset?.key : undefined
  element.replaceChildren(...children.flat(Number.POSITIVE_INFINITY).filter(Boolean))
  if (key === undefined) return
  for (const found of element.querySelectorAll('[data-key]')) if (found.dataset.key === key) found.focus()
}

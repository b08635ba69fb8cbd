interface Placed {
  readonly at: number
  readonly order: number
}

/** What comes next, by time and then by order: a binary heap of the simulation's own, since the product's is under test. */
export class Queue<Item extends Placed> {
  readonly #items: Item[] = []

  peek(): Item | undefined {
    return this.#items[0]
  }

  push(item: Item): void {
    const items = this.#items
    items.push(item)
    for (let at = items.length - 1; at > 0; ) {
      const above = (at - 1) >> 1
      if (!this.#swapIfBefore(at, above)) break
      at = above
    }
  }

  pop(): void {
    const items = this.#items
    const last = items.pop()
    if (last === undefined || items.length === 0) return
    items[0] = last
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      if (left >= items.length) break
      const least = left + 1 < items.length && before(items[left + 1] as Item, items[left] as Item) ? left + 1 : left
      if (!this.#swapIfBefore(least, at)) break
      at = least
    }
  }

  #swapIfBefore(below: number, above: number): boolean {
    const [low, high] = [this.#items[below] as Item, this.#items[above] as Item]
    if (!before(low, high)) return false
    this.#items[below] = high
    this.#items[above] = low
    return true
  }
}

const before = (a: Placed, b: Placed): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

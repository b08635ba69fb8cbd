/** A binary min-heap. `before(a, b)` says whether `a` comes out first. */
export class Heap<Item> {
  readonly #items: Item[] = []
  readonly #before: (a: Item, b: Item) => boolean

  constructor(before: (a: Item, b: Item) => boolean) {
    this.#before = before
  }

  get size(): number {
    return this.#items.length
  }

  /** The item that comes out next, left in place. */
  peek(): Item | undefined {
    return this.#items[0]
  }

  push(item: Item): void {
    let index = this.#items.push(item) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#before(item, this.#items[parent] as Item)) break
      this.#items[index] = this.#items[parent] as Item
      index = parent
    }
    this.#items[index] = item
  }

  pop(): Item | undefined {
    const first = this.#items[0]
    const last = this.#items.pop()
    if (this.#items.length > 0) this.#sink(last as Item)
    return first
  }

  clear(): void {
    this.#items.length = 0
  }

  #sink(item: Item): void {
    const items = this.#items
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= items.length) break
      if (child + 1 < items.length && this.#before(items[child + 1] as Item, items[child] as Item)) child++
      if (!this.#before(items[child] as Item, item)) break
      items[index] = items[child] as Item
      index = child
    }
    items[index] = item
  }
}

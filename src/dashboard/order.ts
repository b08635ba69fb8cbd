/* Orders of names. */

/** Those of the lowest rank first; within a rank in the order in which they come. */
export function byRank(names: readonly string[], rankOf: (name: string) => number, descending: boolean): string[] {
  const ranks = new Map<number, string[]>()
  for (const name of names) {
    const rank = rankOf(name)
    const group = ranks.get(rank)
    if (group) group.push(name)
    else ranks.set(rank, [name])
  }
  const order = [...ranks.keys()].sort((a, b) => (descending ? b - a : a - b))
  return order.flatMap((rank) => ranks.get(rank) ?? [])
}

/** By a value of each. Stable; names without a value come last in either order. */
export function byValue(
  names: readonly string[],
  sortKey: (name: string) => number | undefined,
  descending: boolean,
): string[] {
  const valued = names.map((name) => ({ name, value: sortKey(name) }))
  valued.sort((a, b) => {
    if (a.value === undefined || b.value === undefined)
      return Number(a.value === undefined) - Number(b.value === undefined)
    return descending ? b.value - a.value : a.value - b.value
  })
  return valued.map(({ name }) => name)
}

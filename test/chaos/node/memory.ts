/** Fills the heap until the process dies of it, with collections that stop it for longer and longer on the way. */
export function eatMemory(): void {
  const eaten: unknown[] = []
  setInterval(() => {
    for (let bite = 0; bite < 20_000; bite++) eaten.push({ bite, more: [bite, bite + 1, bite + 2] })
  }, 10)
}

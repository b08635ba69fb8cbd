/**
 * Runs a batch whose names may repeat on a store that takes each name once in a statement: the first request of each
 * name together, then the second of each, and so on. Answers in request order. One call for a batch without
 * repetitions.
 */
export async function inUniqueRounds<Request extends { readonly name: string }, Result>(
  requests: readonly Request[],
  run: (round: readonly Request[]) => Promise<readonly Result[]>,
): Promise<readonly Result[]> {
  if (requests.length === 1) return await run(requests)
  const rounds: number[][] = []
  const seen = new Map<string, number>()
  for (const [index, { name }] of requests.entries()) {
    const occurrence = seen.get(name) ?? 0
    seen.set(name, occurrence + 1)
    const round = rounds[occurrence]
    if (round) round.push(index)
    else rounds.push([index])
  }
  const results = new Array<Result>(requests.length)
  for (const round of rounds) {
    const roundResults = await run(round.map((index) => requests[index] as Request))
    for (const [position, index] of round.entries()) results[index] = roundResults[position] as Result
  }
  return results
}

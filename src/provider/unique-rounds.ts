/**
 * Runs a batch whose names may repeat on a store that takes each name once in a statement: the first request of each name
 * together, then the second of each, and so on. Answers in request order. One call for a batch without repetitions.
 */
export async function inWaves<Request extends { readonly name: string }, Result>(
  requests: readonly Request[],
  run: (wave: readonly Request[]) => Promise<readonly Result[]>,
): Promise<readonly Result[]> {
  if (requests.length === 1) return await run(requests)
  const waves: number[][] = []
  const seen = new Map<string, number>()
  for (const [index, { name }] of requests.entries()) {
    const turn = seen.get(name) ?? 0
    seen.set(name, turn + 1)
    const wave = waves[turn]
    if (wave) wave.push(index)
    else waves.push([index])
  }
  const results = new Array<Result>(requests.length)
  for (const wave of waves) {
    const answers = await run(wave.map((index) => requests[index] as Request))
    for (const [position, index] of wave.entries()) results[index] = answers[position] as Result
  }
  return results
}

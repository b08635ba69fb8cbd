/** The answer of the work, or an error when it takes longer. What is under way goes on: the caller ends it. */
export async function within<Answer>(ms: number, what: string, work: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${Math.round(ms / 1_000)} s`)), ms)
  })
  work.catch(() => {}) // Nobody listens any more when it fails too late.
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

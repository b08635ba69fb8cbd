/** How much goes into one statement, in bytes of JSON: on its way it is doubled, and must fit the server's `max_allowed_packet`. */
const MAX_BYTES = 1_000_000

/** A part of a batch. */
export interface Chunk {
  /** The index of its first entry in the batch. */
  readonly from: number
  readonly count: number
  /** The entries as a JSON array. */
  readonly json: string
}

/** Puts the entries of a batch into as few statements as they fit in: one, for thousands of them. */
export function chunks(entries: readonly unknown[]): Chunk[] {
  const chunks: Chunk[] = []
  let texts: string[] = []
  let size = 0
  const close = (end: number): void => {
    if (texts.length > 0) chunks.push({ from: end - texts.length, count: texts.length, json: `[${texts.join(',')}]` })
    texts = []
    size = 0
  }
  for (const [index, entry] of entries.entries()) {
    const text = JSON.stringify(entry)
    const length = Buffer.byteLength(text) + 1
    if (size + length > MAX_BYTES) close(index)
    texts.push(text)
    size += length
  }
  close(entries.length)
  return chunks
}

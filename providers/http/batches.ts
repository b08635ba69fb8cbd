/* A batch in calls that the server takes. */
import { MOST_BYTES, MOST_REQUESTS } from '../../src/provider/wire.ts'

/** Room for the rest of the body. */
const MOST_BATCH_BYTES = MOST_BYTES - 1_024

export interface Chunk<Request> {
  readonly requests: readonly Request[]
  /** The requests as JSON, with commas between them. */
  readonly json: string
}

/** Cuts a batch into chunks, in order: by the number of requests, and by their size. */
export function inChunks<Request>(batch: readonly Request[]): Chunk<Request>[] {
  const chunks: Chunk<Request>[] = []
  let from = 0
  let parts: string[] = []
  let bytes = 0
  const end = (to: number): void => {
    if (parts.length > 0) chunks.push({ requests: batch.slice(from, to), json: parts.join(',') })
    from = to
    parts = []
    bytes = 0
  }
  for (const [place, request] of batch.entries()) {
    const part = JSON.stringify(request)
    const size = Buffer.byteLength(part) + 1
    if (parts.length === MOST_REQUESTS || bytes + size > MOST_BATCH_BYTES) end(place)
    parts.push(part)
    bytes += size
  }
  end(batch.length)
  return chunks
}

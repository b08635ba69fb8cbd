import type { RecordedEntry, RecordedNode, RunHistory } from '../../src/provider/history.ts'
import { arrayOf, numberOf, objectOf } from './responses.ts'

/** Calls a verb with a body, and returns the body of the response. */
export type CallVerb = (path: string, body: object, isRepeatable: boolean) => Promise<unknown>

/** History in the store behind the server. All its calls may be repeated. */
export function httpHistory(call: CallVerb): RunHistory {
  const entries = async (path: string, body: object): Promise<RecordedEntry[]> => {
    const found = arrayOf(objectOf(await call(path, body, true), 'entries').entries, 'entries')
    return found.map((entry) => objectOf(entry, 'an entry') as unknown as RecordedEntry)
  }
  return {
    async write(batch, node) {
      await call('history/write', { entries: batch, node }, true)
    },
    read: (query) => entries('history/read', query),
    latest: (jobs, count) => entries('history/latest', { jobs, count }),
    async nodes() {
      const found = arrayOf(objectOf(await call('history/nodes', {}, true), 'nodes').nodes, 'nodes')
      return found.map((node) => objectOf(node, 'a node') as unknown as RecordedNode)
    },
    async trim({ olderThanMs, most }) {
      const response = await call('history/trim', { olderThanMs, most }, true)
      return numberOf(objectOf(response, 'a number').dropped, 'a number')
    },
  }
}

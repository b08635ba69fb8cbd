import { setTimeout as sleep } from 'node:timers/promises'
import { openStore } from './node/open-store.ts'
import { machineTime, type WitnessFile } from './witness-file.ts'

const LOOK_EVERY = 100
/** A read that takes longer, in ms, shows that the machine is too busy for the store to keep up. */
const WORTH_TELLING = 150

/**
 * Reads a record now and then, by a way that no network fault befalls, and writes down when that took long: a store on a busy machine
 * responds late to all nodes, though each of them gets to run. Returns what ends it.
 */
export function watchStore(witness: WitnessFile, kind: string, url: string, epoch: number): () => Promise<void> {
  const ended = new AbortController()
  const watched = watch(witness, { kind, url, ownClient: false, epoch }, ended.signal)
  return async () => {
    ended.abort()
    await watched
  }
}

async function watch(
  witness: WitnessFile,
  settings: Parameters<typeof openStore>[0],
  ended: AbortSignal,
): Promise<void> {
  const { provider } = await openStore(settings)
  while (!ended.aborted) {
    const from = machineTime()
    await provider.read(['nobody']).catch(() => {})
    if (machineTime() - from > WORTH_TELLING) witness.write({ what: 'stalled', from })
    await sleep(LOOK_EVERY, undefined, { signal: ended }).catch(() => {})
  }
  await provider.close()
}

import { machineTime, type WitnessFile } from '../witness-file.ts'

const LOOK_EVERY = 50
/** A process that comes this late, in ms, is told as stalled: the machine was busy, or the process stopped. */
const WORTH_TELLING = 150

/** Looks at the clock now and then, and writes down when it should have come sooner. Answers what ends it. */
export function watchStalls(witness: WitnessFile): () => void {
  let last = machineTime()
  const timer = setInterval(() => {
    const now = machineTime()
    if (now - last > LOOK_EVERY + WORTH_TELLING) witness.write({ what: 'stalled', from: last }, now)
    last = now
  }, LOOK_EVERY).unref()
  return () => clearInterval(timer)
}

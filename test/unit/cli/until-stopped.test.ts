import { describe, expect, it } from 'vitest'
import { untilStopped } from '../../../src/cli/until-stopped.ts'

describe('what is done until a signal', () => {
  it('ends its work in order when the signal comes twice, as `timeout` sends it', async () => {
    const listeners = (): number => process.listenerCount('SIGTERM')
    const before = listeners()
    let finish = (): void => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const watching = untilStopped(60_000, () => finished)
    process.emit('SIGTERM', 'SIGTERM')
    expect(listeners(), 'without a listener the second one would kill the process').toBe(before + 1)
    process.emit('SIGTERM', 'SIGTERM')
    finish()
    await watching
    expect(listeners()).toBe(before)
  })
})

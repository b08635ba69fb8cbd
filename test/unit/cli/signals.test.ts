import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { onStopSignal, SignalRelay, signalOf } from '../../../src/cli/signals.ts'

const send = (signal: NodeJS.Signals): void => void process.emit(signal, signal)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
})

describe('a signal to stop', () => {
  it('that comes within a second of the last is the same request, whichever it is', () => {
    const heard: string[] = []
    const off = onStopSignal((signal, count) => heard.push(`${count} ${signal}`))
    send('SIGTERM')
    vi.advanceTimersByTime(10)
    send('SIGTERM')
    send('SIGINT')
    vi.advanceTimersByTime(989)
    send('SIGTERM')
    expect(heard).toEqual(['1 SIGTERM'])
    vi.advanceTimersByTime(1)
    send('SIGINT')
    send('SIGTERM')
    expect(heard).toEqual(['1 SIGTERM', '2 SIGINT'])
    off()
    vi.advanceTimersByTime(1_000)
    send('SIGUSR2') // Nobody listens for this one, and the process goes on.
    expect(heard).toHaveLength(2)
  })
})

describe('the signals on their way to a command', () => {
  it('are kept until there is one, and told of meanwhile', () => {
    const early: string[] = []
    const passed: string[] = []
    const relay = new SignalRelay((signal) => early.push(signal))
    onTestFinished(() => relay.close())
    send('SIGTERM')
    send('SIGHUP')
    expect(early).toEqual(['SIGTERM', 'SIGHUP'])
    relay.passTo((signal) => passed.push(signal))
    expect(passed).toEqual(['SIGTERM', 'SIGHUP'])
    send('SIGUSR1')
    send('SIGUSR1')
    expect(passed).toEqual(['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR1'])
    expect(early).toHaveLength(2)
  })

  it('are one request to stop when they come together, as timeout sends them', () => {
    const passed: string[] = []
    const relay = new SignalRelay(() => {})
    onTestFinished(() => relay.close())
    relay.passTo((signal) => passed.push(signal))
    for (let count = 0; count < 3; count++) send('SIGTERM')
    send('SIGINT')
    vi.advanceTimersByTime(1_000)
    send('SIGTERM')
    expect(passed).toEqual(['SIGTERM', 'SIGINT', 'SIGTERM'])
  })

  it('are told from other reasons', () => {
    expect([signalOf('SIGINT'), signalOf('SIGKILL'), signalOf(new Error('x'))]).toEqual([
      'SIGINT',
      undefined,
      undefined,
    ])
  })
})

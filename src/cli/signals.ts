/** `timeout`, and a terminal whose whole group gets a signal, may send one twice within milliseconds. In ms. */
const SAME_REQUEST = 1_000

export type StopSignal = 'SIGTERM' | 'SIGINT'

const STOP_SIGNALS: readonly StopSignal[] = ['SIGTERM', 'SIGINT']

/**
 * Calls back at each SIGTERM and SIGINT, with how many there were. One that comes within a second of the last is the same request.
 *
 * @returns The function that ends it.
 */
export function onStopSignal(listener: (signal: StopSignal, count: number) => void): () => void {
  let count = 0
  let last = Number.NEGATIVE_INFINITY
  const heard = (signal: NodeJS.Signals): void => {
    const now = performance.now()
    if (now - last < SAME_REQUEST) return
    last = now
    listener(signal as StopSignal, ++count)
  }
  for (const signal of STOP_SIGNALS) process.on(signal, heard)
  return () => {
    for (const signal of STOP_SIGNALS) process.off(signal, heard)
  }
}

const PASSED_ON = [...STOP_SIGNALS, 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const

/**
 * The signals to this process on their way to a command. Made before the command is, so that none is missed: those that come before are passed on
 * at its start. A SIGTERM or SIGINT within a second of the same one is the same request.
 */
export class SignalRelay {
  readonly #lastAt = new Map<NodeJS.Signals, number>()
  #early: NodeJS.Signals[] = []
  #passOn: ((signal: NodeJS.Signals) => void) | undefined
  readonly #onEarly: (signal: NodeJS.Signals) => void

  /** `onEarly` is called with each signal that comes before there is a command. */
  constructor(onEarly: (signal: NodeJS.Signals) => void) {
    this.#onEarly = onEarly
    for (const signal of PASSED_ON) process.on(signal, this.#heard)
  }

  /** Passes the signals on, those that came before first. */
  passTo(command: (signal: NodeJS.Signals) => void): void {
    this.#passOn = command
    for (const signal of this.#early.splice(0)) command(signal)
  }

  close(): void {
    for (const signal of PASSED_ON) process.off(signal, this.#heard)
  }

  readonly #heard = (signal: NodeJS.Signals): void => {
    const now = performance.now()
    const isRepeat = now - (this.#lastAt.get(signal) ?? Number.NEGATIVE_INFINITY) < SAME_REQUEST
    if (isRepeat && (STOP_SIGNALS as readonly string[]).includes(signal)) return
    this.#lastAt.set(signal, now)
    if (!this.#passOn) {
      this.#early.push(signal)
      this.#onEarly(signal)
    } else this.#passOn(signal)
  }
}

/** The signal that is the reason for something, if one is. */
export const signalOf = (reason: unknown): NodeJS.Signals | undefined => PASSED_ON.find((signal) => signal === reason)

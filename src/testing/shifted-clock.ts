import type { LockProvider } from '../provider/contract.ts'

/**
 * Runs something while `Date` of this process is `ms` milliseconds off, as on a machine whose clock is wrong. Everything in
 * the process sees it, so only one may run at a time.
 */
export async function withClockShifted<Result>(ms: number, run: () => Result | Promise<Result>): Promise<Result> {
  const real = globalThis.Date
  const now = () => real.now() + ms
  globalThis.Date = new Proxy(real, {
    get: (target, property, receiver) => (property === 'now' ? now : Reflect.get(target, property, receiver)),
    construct: (target, args, newTarget) => Reflect.construct(target, args.length > 0 ? args : [now()], newTarget),
    apply: () => new real(now()).toString(),
  })
  try {
    return await run()
  } finally {
    globalThis.Date = real
  }
}

/** A node on a machine whose clock is off: it was connected there, and does everything there. */
export async function onShiftedClock(
  ms: number,
  connect: () => LockProvider | Promise<LockProvider>,
): Promise<LockProvider> {
  const node = await withClockShifted(ms, connect)
  return {
    acquire: (requests) => withClockShifted(ms, () => node.acquire(requests)),
    extend: (requests) => withClockShifted(ms, () => node.extend(requests)),
    release: (requests) => withClockShifted(ms, () => node.release(requests)),
    read: (names) => withClockShifted(ms, () => node.read(names)),
    forceRelease: (name) => withClockShifted(ms, () => node.forceRelease(name)),
    reset: (request) => withClockShifted(ms, () => node.reset(request)),
    prune: (olderThanMs) => withClockShifted(ms, () => node.prune(olderThanMs)),
    close: () => node.close(),
  }
}

/** The callbacks of each signal share one listener, which stays: Node warns of a leak when a signal has more than ten. */
const callbacksOf = new WeakMap<AbortSignal, Set<() => void>>()

/** Calls back once when the signal aborts, and not for a signal that has aborted before. Returns what takes the callback back. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const callbacks = callbacksOf.get(signal) ?? listen(signal)
  callbacks.add(callback)
  return () => void callbacks.delete(callback)
}

function listen(signal: AbortSignal): Set<() => void> {
  const callbacks = new Set<() => void>()
  callbacksOf.set(signal, callbacks)
  signal.addEventListener(
    'abort',
    () => {
      callbacksOf.delete(signal)
      for (const callback of callbacks) callback()
    },
    { once: true },
  )
  return callbacks
}

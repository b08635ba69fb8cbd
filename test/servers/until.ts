import { setTimeout as sleep } from 'node:timers/promises'

const TIMEOUT_MS = 30_000

/** Asks again and again until the answer is yes; an error is a no. `what` is what we wait for, as the error says it. */
export async function until(what: string, ask: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS
  let last: unknown
  while (Date.now() < deadline) {
    try {
      if (await ask()) return
    } catch (error) {
      last = error
    }
    await sleep(50)
  }
  throw new Error(`waited ${TIMEOUT_MS / 1000} s in vain until ${what}`, { cause: last })
}

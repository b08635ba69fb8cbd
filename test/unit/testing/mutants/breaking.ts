/* How a test breaks a provider: by what arrives at it, by what it leaves behind, or verb by verb. */
import type { AcquireRequest, AcquireResult, ExtendRequest, ReleaseRequest } from '../../../../src/provider/contract.ts'
import type { StoredLock } from '../../../../src/provider/decide.ts'
import type { ConformanceSubject } from '../../../../src/testing/index.ts'
import type { Break, Parts } from '../breakable-store.ts'

export interface Mutant {
  /** What the provider does wrong. */
  readonly defect: string
  /** The name of the case that must fail. */
  readonly caughtBy: string
  readonly broken?: Break
  readonly hooks?: Partial<ConformanceSubject>
}

/** A provider to which other requests arrive than were sent. */
export const acquiring =
  (change: (request: AcquireRequest, parts: Parts) => Partial<AcquireRequest>): Break =>
  (parts) => ({
    acquire: (requests) => parts.right.acquire(requests.map((each) => ({ ...each, ...change(each, parts) }))),
  })

export const extending =
  (change: (request: ExtendRequest, parts: Parts) => Partial<ExtendRequest>): Break =>
  (parts) => ({
    extend: (requests) => parts.right.extend(requests.map((each) => ({ ...each, ...change(each, parts) }))),
  })

export const releasing =
  (change: (request: ReleaseRequest, parts: Parts) => Partial<ReleaseRequest>): Break =>
  (parts) => ({
    release: (requests) => parts.right.release(requests.map((each) => ({ ...each, ...change(each, parts) }))),
  })

/** Writes something into a record that is there. */
export function write({ locks }: Parts, name: string, change: Partial<StoredLock>): void {
  const lock = locks.get(name)
  if (lock) locks.set(name, { ...lock, ...change })
}

/** Does something to the store after a verb has done its work. */
export const after =
  <Verb extends 'acquire' | 'extend' | 'release'>(
    verb: Verb,
    change: (request: { name: string }, answer: unknown, parts: Parts) => void,
  ): Break =>
  (parts) => ({
    [verb]: async (requests: readonly never[]) => {
      const answers = await parts.right[verb](requests)
      for (const [index, request] of requests.entries()) change(request, answers[index], parts)
      return answers
    },
  })

export const isGrant = (answer: unknown): boolean => (answer as AcquireResult).granted

import { randomUUID } from 'node:crypto'
import type { AcquireRequest } from '../../src/provider/contract.ts'

/** An acquisition by an owner of its own. */
export const ask = (name: string, more: Partial<AcquireRequest> = {}): AcquireRequest => ({
  name,
  owner: randomUUID(),
  label: `test:${process.pid}`,
  lockAtMostFor: 60_000,
  maxClockSkew: 60_000,
  ...more,
})

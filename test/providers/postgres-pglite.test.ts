import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgres } from '../../providers/postgres/index.ts'
import { conformance } from '../../src/testing/index.ts'
import { pgliteSubject } from './pglite-subject.ts'

conformance({ describe, it, beforeAll, afterAll }, pgliteSubject())

describe('postgres on PGlite', () => {
  it('takes PGlite for a single connection, given alone', async () => {
    const own = await PGlite.create()
    const provider = postgres(own)
    await provider.setup()
    expect(await provider.read()).toEqual([])
    await own.close()
  })
})

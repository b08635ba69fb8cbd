import { describe, expect, it } from 'vitest'
import { Deadline } from '../../../providers/mysql/bounds.ts'
import { PoolWithTimeouts } from '../../../providers/mysql/pool-timeout.ts'

describe('a storeTimeout longer than any timer, with MySQL', () => {
  it('waits for a connection that a timer of Node can not wait for so long', async () => {
    const connection = {
      query: (_sql: string, _values: unknown, done: (error: unknown, rows: unknown) => void) => done(null, ['row']),
      release: () => {},
      destroy: () => {},
    }
    const pool = new PoolWithTimeouts({
      // Node's timers, had they overflown, would fire before this one.
      getConnection: (done) => setTimeout(() => done(null, connection), 20),
    })
    const deadline = new Deadline(30 * 86_400_000)
    expect(await pool.query('SELECT 1', [], deadline.left())).toEqual(['row'])
  })
})

/* Connections that go silent: nobody closes them, and nothing is answered. */
import { createPool } from 'mysql2/promise'
import { afterAll, describe, expect, it } from 'vitest'
import { type MysqlInput, mysql } from '../../providers/mysql/index.ts'
import { acquire, granted, newHolder } from '../../src/testing/requests.ts'
import { TcpProxy } from '../chaos/tcp-proxy.ts'
import { Belongings, servers } from './mysql-harness.ts'

describe.each(servers)('a connection of $name that goes silent', ({ url }) => {
  const own = new Belongings(url)
  afterAll(() => own.clear())

  const through = ({ port }: TcpProxy): string => {
    const proxied = new URL(url)
    proxied.port = String(port)
    return proxied.href
  }

  /** As many connections as the pool may have go silent with a call on each; then the way is open again for new ones. */
  async function comesBack(connections: number, input: (url: string, table: string) => MysqlInput): Promise<void> {
    const proxy = await TcpProxy.to(Number(new URL(url).port))
    const provider = mysql(input(through(proxy), own.newTable()))
    await provider.setup?.()
    await Promise.all(Array.from({ length: connections }, () => provider.read(['warm'])))
    proxy.set('open', 'lost')
    const calls = Array.from({ length: connections }, () => provider.read(['silence']))
    const outcomes = await Promise.allSettled(calls)
    expect(outcomes.map(({ status }) => status)).toEqual(calls.map(() => 'rejected'))
    proxy.set('open', 'open')
    expect(await granted(provider, newHolder('after silence'))).toBeDefined()
    await provider.close()
    await proxy.close()
  }

  it.concurrent('is given up and replaced, by a URL', async () => {
    await comesBack(10, (url, table) => ({ url, table }))
  })

  it.concurrent('is given up and replaced in the pool of a user', async () => {
    const pools: { end(): Promise<void> }[] = []
    await comesBack(2, (uri, table) => {
      const pool = createPool({ uri, connectionLimit: 2 })
      pools.push(pool)
      return { pool, table }
    })
    await Promise.all(pools.map((pool) => pool.end()))
  })

  it.concurrent('is given up and replaced in a pool that has nothing but promises', async () => {
    const pools: { end(): Promise<void> }[] = []
    await comesBack(2, (uri, table) => {
      const pool = createPool({ uri, connectionLimit: 2 })
      pools.push(pool)
      const bare = { query: pool.query.bind(pool), getConnection: () => pool.getConnection() }
      return { pool: bare, table }
    })
    await Promise.all(pools.map((pool) => pool.end()))
  })

  it.concurrent('of a pool that is all in use does not hold up a call for ever, and the connection that comes free later goes back', async () => {
    const pool = own.newPool({ connectionLimit: 1 })
    const provider = mysql({ pool, table: own.newTable() })
    await provider.setup?.()
    const taken = await pool.getConnection()
    await expect(acquire(provider, newHolder('waits'))).rejects.toThrow(/no connection became free/)
    taken.release()
    expect(await granted(provider, newHolder('waits'))).toBeDefined()
  })
})

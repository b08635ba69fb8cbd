/* What is particular to DynamoDB: its items, its table, the retries of its SDK, and what happens when it or a connection fails. */
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { dynamodb } from '../../providers/dynamodb/index.ts'
import { parseDynamodbUrl } from '../../providers/dynamodb/url.ts'
import { type AcquireResult, isUnreadable, type LockProvider } from '../../src/provider/index.ts'
import { TcpProxy } from '../chaos/tcp-proxy.ts'
import { startServer, type TestServer } from '../servers/index.ts'
import { acquire, acquireOf, only, release } from '../unit/provider/versioned/requests.ts'
import { DynamoForwarder } from './dynamodb-forwarder.ts'
import { dynamodbClient, newTable } from './dynamodb-subject.ts'

const server = inject('servers').dynamodb
const url = 'url' in server ? server.url : ''
const here = describe.skipIf(url === '')

const isGrant = (result: unknown): boolean => (result as AcquireResult).granted === true
const atPort = (port: number): string => url.replace(/:\d+(?=\?)/, `:${port}`)
const portOf = (of: string): number => Number(new URL(of).port)

/** Runs something with a provider that is closed in the end. */
async function using<Result>(
  provider: LockProvider,
  run: (provider: LockProvider) => Promise<Result>,
): Promise<Result> {
  try {
    return await run(provider)
  } finally {
    await provider.close()
  }
}

describe('the options of dynamodb', () => {
  it.each([
    ['dynamodb://', /url must be/],
    ['dynamodb://localhost:8000', /url must be/],
    ['dynamodb://eu-central-1/table', /option table/],
    ['dynamodb+http://', /url must be/],
    ['dynamodb+http://a:b@h:port', /url must be/],
    ['dynamodb+http://h:8000/table', /url must be/],
    ['dynamodb+http://h:8000?regoin=x', /url must be/],
    ['dynamodb+http://key@h:8000', /both an access key and a secret/],
    [{ url: 'dynamodb://eu-central-1', table: 'ab' }, /table must be/],
    [{ url: 'dynamodb://eu-central-1', table: 'a/b/c' }, /table must be/],
    [{ url: 'dynamodb://eu-central-1', prefix: 'x' }, /unknown option "prefix"; the options are url, client, table/],
    [{ url: 'dynamodb://eu-central-1', client: { send() {} } }, /either url or client/],
    [{ table: 'ticklock' }, /either url or client/],
    [{ client: {} }, /client must be a DynamoDBClient/],
    [{ client: null }, /client must be a DynamoDBClient/],
    [{ url: 7 }, /url must be a string/],
    [undefined, /a URL or options/],
  ])('%j is refused', (input, message) => {
    expect(() => dynamodb(input as string)).toThrow(message)
  })

  it('are refused without the secret in the error', () => {
    expect(() => dynamodb('dynamodb+http://key:hush-hush@h:8000/x')).toThrow(expect.not.stringContaining('hush'))
  })

  it.each([
    'dynamodb://eu-central-1',
    'dynamodb://us-gov-west-1',
    'dynamodb+https://h',
    'dynamodb+http://[::1]:8000/?region=x',
    'dynamodb+http://key:p@ss:w/rd%@h:8000?region=eu-central-1',
  ])('%s opens nothing yet', (input) => using(dynamodb(input), async () => {}))

  it('of a URL are what the SDK takes', () => {
    expect(parseDynamodbUrl('dynamodb+http://key:p@ss:w%2Frd@h:8000?region=eu-central-1')).toEqual({
      endpoint: 'http://h:8000',
      region: 'eu-central-1',
      credentials: { accessKeyId: 'key', secretAccessKey: 'p@ss:w/rd' },
    })
    expect(parseDynamodbUrl('dynamodb://eu-central-1')).toEqual({ region: 'eu-central-1' })
  })
})

here('in a table of DynamoDB', () => {
  const table = newTable()
  const own = dynamodbClient(url, table)
  let forwarder: DynamoForwarder
  beforeAll(async () => {
    forwarder = await DynamoForwarder.to(portOf(url))
    await using(dynamodb({ url, table }), async (provider) => await provider.setup?.())
  })
  beforeEach(() => {
    forwarder.change = () => undefined
    forwarder.refuse = () => undefined
  })
  afterAll(async () => {
    await own.end()
    await forwarder?.close()
  })
  const forwarded = () => dynamodb({ url: atPort(forwarder.port), table })

  it('a lock is an item of strings, which no time to live can delete, and what others add to it stays', async () => {
    await using(dynamodb({ url, table }), async (provider) => {
      const tick = Date.now() - 1_000
      await acquire(provider, 'nightly', 'one', { tick })
      const item = await own.get('nightly')
      await own.put({ ...item, team: { S: 'billing' } })
      await release(provider, 'nightly', 'one', { tick })
      const released = await own.get('nightly')
      expect(Object.keys(released ?? {}).sort()).toEqual(['name', 'record', 'team', 'version'])
      expect(Object.values(released ?? {}).map((value) => Object.keys(value))).toEqual(Array(4).fill(['S']))
      expect(JSON.parse(released?.record?.S ?? '')).toMatchObject({ lastTick: tick, tickDone: true })
      expect(released?.version).not.toEqual(item?.version)
    })
  })

  it('1,000 locks are read and written in as many requests as it takes', async () => {
    await using(dynamodb({ url, table }), async (provider) => {
      const requests = Array.from({ length: 1_000 }, (_, index) => acquireOf(`job-${index}`, 'one'))
      const results = await provider.acquire(requests, { timeout: 60_000 })
      expect(results.filter(isGrant).length).toBe(1_000)
      const again = await provider.acquire(
        requests.map((request) => ({ ...request, owner: 'two' })),
        { timeout: 60_000 },
      )
      expect(again.filter(isGrant).length).toBe(0)
    })
  })

  it('all pages of a scan are read', async () => {
    const names = Array.from({ length: 5 }, (_, index) => `large-${index}`)
    for (const name of names)
      await own.put({ name: { S: name }, record: { S: 'x'.repeat(300_000) }, version: { S: 'v' } })
    let pages = 0
    forwarder.change = ({ operation }) => {
      if (operation === 'Scan') pages++
      return undefined
    }
    await using(forwarded(), async (provider) => {
      const large = (await provider.read()).filter(({ name }) => name.startsWith('large-'))
      expect(large.map(({ name }) => name)).toEqual(names)
      expect(large.every(isUnreadable)).toBe(true)
    })
    expect(pages).toBeGreaterThan(1)
    for (const name of names) await own.delete(name)
  })

  it('keys that DynamoDB leaves out of a response are read again', async () => {
    await using(forwarded(), async (provider) => {
      const requests = Array.from({ length: 10 }, (_, index) => acquireOf(`left-out-${index}`, 'one'))
      await provider.acquire(requests)
      let responses = 0
      forwarder.change = ({ operation, input, output }) => {
        if (operation !== 'BatchGetItem') return undefined
        responses++
        const { Responses = {} } = output as { Responses?: Record<string, readonly object[]> }
        const { RequestItems } = input as { RequestItems: Record<string, { Keys: readonly { name: object }[] }> }
        const found = (Responses[table] ?? []) as readonly { readonly name: { readonly S: string } }[]
        const kept = found.slice(0, 4)
        const left = RequestItems[table]?.Keys.filter(
          ({ name }) => !kept.some((item) => item.name.S === (name as { S: string }).S),
        )
        const UnprocessedKeys = left?.length ? { [table]: { ConsistentRead: true, Keys: left } } : {}
        return { body: { Responses: { [table]: kept }, UnprocessedKeys } }
      }
      const results = await provider.acquire(requests.map((request) => ({ ...request, owner: 'two' })))
      expect(results.filter((result) => (result as { reason?: string }).reason === 'held').length).toBe(10)
      expect(responses).toBe(3)
    })
  })

  it('every read is consistent', async () => {
    const reads: unknown[] = []
    forwarder.change = ({ operation, input }) => {
      if (operation === 'BatchGetItem')
        reads.push(...Object.values(input.RequestItems as Record<string, { ConsistentRead?: boolean }>))
      if (operation === 'Scan') reads.push(input)
      return undefined
    }
    await using(forwarded(), async (provider) => {
      await acquire(provider, 'consistent', 'one')
      await provider.read()
      await provider.read(['consistent'])
    })
    expect(reads.length).toBe(3)
    expect(reads).toEqual(reads.map(() => expect.objectContaining({ ConsistentRead: true })))
  })

  it('a write whose response was lost is recognised, though the SDK repeats it and is refused', async () => {
    await using(forwarded(), async (provider) => {
      await acquire(provider, 'other', 'one')
      let writes = 0
      const loseFirstWrite = (): void => {
        writes = 0
        forwarder.change = ({ operation }) => (operation === 'UpdateItem' && ++writes === 1 ? 'lost' : undefined)
      }
      loseFirstWrite()
      const tick = Date.now() - 1_000
      expect(isGrant(await acquire(provider, 'repeated', 'one', { tick }))).toBe(true)
      expect(writes).toBe(2)
      loseFirstWrite()
      expect(await release(provider, 'repeated', 'one', { tick })).toBe(true)
      expect(writes).toBe(2)
      loseFirstWrite()
      expect(await provider.forceRelease('other')).toBe(true)
      expect(writes).toBe(2)
    })
  })

  it('a write that DynamoDB throttles is an error, and no refusal', async () => {
    await using(forwarded(), async (provider) => {
      await acquire(provider, 'busy', 'one')
      const __type = 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException'
      forwarder.refuse = (operation) =>
        operation === 'UpdateItem' ? { body: { __type, message: 'slow down' } } : undefined
      const throttled = await provider
        .acquire([acquireOf('throttled', 'one')], { timeout: 1_000 })
        .catch((error: Error) => [error] as const)
      expect(only(throttled)).toBeInstanceOf(Error)
      forwarder.refuse = () => undefined
      expect(isGrant(await acquire(provider, 'throttled', 'two'))).toBe(true)
    })
  })

  it('nothing is granted while the time is unknown', async () => {
    forwarder.change = () => 'dateless'
    await using(forwarded(), async (provider) => {
      await expect(acquire(provider, 'dateless', 'one')).rejects.toThrow(/sends no Date header/)
    })
    expect(await own.get('dateless')).toBeUndefined()
  })

  it.each([undefined, 'EVENTUAL'])(
    'with replicas of eventual consistency (%s), setup is refused, and then every lock',
    async (MultiRegionConsistency) => {
      forwarder.change = ({ operation, output }) =>
        operation === 'DescribeTable'
          ? {
              body: {
                Table: { ...(output.Table as object), Replicas: [{ RegionName: 'us-east-1' }], MultiRegionConsistency },
              },
            }
          : undefined
      await using(forwarded(), async (provider) => {
        await expect(provider.setup?.()).rejects.toThrow(/global table with eventual consistency/)
        await expect(acquire(provider, 'global', `of ${MultiRegionConsistency}`)).rejects.toThrow(
          /global table with eventual consistency/,
        )
        await expect(provider.read()).rejects.toThrow(/global table with eventual consistency/)
        forwarder.change = () => undefined
        await provider.setup?.()
        expect(isGrant(await acquire(provider, 'global', `of ${MultiRegionConsistency}`))).toBe(true)
        await release(provider, 'global', `of ${MultiRegionConsistency}`)
      })
    },
  )

  it('with replicas of strong consistency, locks are granted', async () => {
    forwarder.change = ({ operation, output }) =>
      operation === 'DescribeTable'
        ? {
            body: {
              Table: {
                ...(output.Table as object),
                Replicas: [{ RegionName: 'us-east-1' }],
                MultiRegionConsistency: 'STRONG',
              },
            },
          }
        : undefined
    await using(forwarded(), async (provider) => {
      await provider.setup?.()
      expect(isGrant(await acquire(provider, 'strong', 'one'))).toBe(true)
    })
  })

  it('that is not there, an error says how to make it', async () => {
    await using(dynamodb({ url, table: 'not-there' }), async (provider) => {
      await expect(acquire(provider, 'a', 'one')).rejects.toThrow(
        /there is no DynamoDB table not-there: call provider.setup\(\) once, or run `ticklock setup`/,
      )
    })
  })

  it('of another key, setup is refused', async () => {
    const other = dynamodbClient(url, newTable())
    const TableName = newTable()
    await own.client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: '_id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: '_id', AttributeType: 'S' }],
      }),
    )
    try {
      await using(dynamodb({ url, table: TableName }), async (provider) => {
        await expect(provider.setup?.()).rejects.toThrow(/must have the partition key "name" of type S and no sort key/)
      })
    } finally {
      await other.end([TableName])
    }
  })

  it('a client of the user gets no middleware', async () => {
    const client = new DynamoDBClient(parseDynamodbUrl(url))
    const before = client.middlewareStack.identify()
    await using(dynamodb({ client, table }), async (provider) => {
      expect(isGrant(await acquire(provider, 'given', 'one'))).toBe(true)
    })
    expect(client.middlewareStack.identify()).toEqual(before)
    client.destroy()
  })

  it('closes what is under way', async () => {
    const provider = dynamodb({ url, table })
    const first = acquire(provider, 'closing', 'one').catch((error: Error) => error)
    await provider.close()
    await provider.close()
    expect(String(await first)).toMatch(/closed/)
    await expect(acquire(provider, 'closing', 'one')).rejects.toThrow(/closed/)
  })
})

here('a DynamoDB that fails', () => {
  let own: TestServer
  const table = newTable()
  beforeAll(async () => {
    const started = await startServer('dynamodb')
    if ('unavailable' in started) throw new Error(started.unavailable)
    own = started
    await using(dynamodb({ url: own.url, table }), async (provider) => await provider.setup?.())
  })
  afterAll(() => own?.stop())

  it('is an error while it is killed, and knows its locks and ticks when it is back', async () => {
    const [process] = own.processes
    await using(dynamodb({ url: own.url, table }), async (provider) => {
      const tick = Date.now() - 1_000
      const before = await acquire(provider, 'killed', 'one', { tick })
      await process?.kill()
      await expect(acquire(provider, 'killed', 'two')).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/)
      await process?.start()
      const again = await acquire(provider, 'killed', 'one', { tick })
      expect([isGrant(before), isGrant(again)]).toEqual([true, true])
      expect((again as { lease: { fencingToken: number } }).lease.fencingToken).toBe(
        (before as { lease: { fencingToken: number } }).lease.fencingToken,
      )
      expect(await acquire(provider, 'killed', 'two', { tick })).toMatchObject({ reason: 'tick-taken' })
    })
  })

  it('is an error within the timeout while it is stopped', async () => {
    const [process] = own.processes
    await using(dynamodb({ url: own.url, table }), async (provider) => {
      await acquire(provider, 'stopped', 'one')
      process?.pause()
      try {
        const outcome = (): Promise<string> =>
          provider.acquire([acquireOf('stopped', 'two')], { timeout: 500 }).then(() => 'answered', String)
        // The signal takes its time to stop all threads.
        await expect.poll(outcome, { timeout: 20_000 }).toMatch(/did not respond within/)
      } finally {
        process?.resume()
      }
      expect(await acquire(provider, 'stopped', 'two')).toMatchObject({ granted: false, reason: 'held' })
    })
  })

  it('grants once though responses are lost, and the owner gets what was granted', async () => {
    const proxy = await TcpProxy.to(portOf(own.url))
    try {
      await using(dynamodb({ url: atPort(proxy.port), table }), async (provider) => {
        await acquire(provider, 'other', 'one')
        proxy.set('open', 'lost')
        const lost = await provider
          .acquire([acquireOf('lost', 'one')], { timeout: 600 })
          .catch((error: Error) => [error] as const)
        expect(only(lost)).toBeInstanceOf(Error)
        proxy.set('open', 'open')
        proxy.cut(false)
        expect(isGrant(await acquire(provider, 'lost', 'one'))).toBe(true)
        expect(await acquire(provider, 'lost', 'two')).toMatchObject({ granted: false, reason: 'held' })
      })
    } finally {
      await proxy.close()
    }
  })
})

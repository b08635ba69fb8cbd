/* How the tests meet DynamoDB: by the provider, and by a client of their own. */
import { randomUUID } from 'node:crypto'
import {
  type AttributeValue,
  DeleteItemCommand,
  DeleteTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb'
import { DynamoCalls } from '../../providers/dynamodb/client.ts'
import { dynamodb } from '../../providers/dynamodb/index.ts'
import { DynamoStore } from '../../providers/dynamodb/store.ts'
import { parseDynamodbUrl } from '../../providers/dynamodb/url.ts'
import { ClockEstimate, DateClock, type TimeBounds, versionedProvider } from '../../src/provider/index.ts'
import type { ConformanceSubject } from '../../src/testing/index.ts'
import { jsonPoisons, storedRecord } from './versioned/versioned-subject.ts'

export type Item = Readonly<Record<string, AttributeValue>>

export const newTable = (): string => `test-${randomUUID()}`

/** The tests' own client of one table. */
export function dynamodbClient(url: string, table: string) {
  const client = new DynamoDBClient(parseDynamodbUrl(url))
  const key = (name: string) => ({ TableName: table, Key: { name: { S: name } } })
  return {
    client,
    get: async (name: string): Promise<Item | undefined> =>
      (await client.send(new GetItemCommand({ ...key(name), ConsistentRead: true }))).Item,
    put: (item: Item) => client.send(new PutItemCommand({ TableName: table, Item: item })),
    delete: (name: string) => client.send(new DeleteItemCommand(key(name))),
    async end(tables: Iterable<string> = [table]): Promise<void> {
      for (const TableName of tables)
        await client.send(new DeleteTableCommand({ TableName })).catch((error: Error) => {
          if (error.name !== 'ResourceNotFoundException') throw error
        })
      client.destroy()
    },
  }
}

/** dynalite runs on this machine, and goes by its clock. The suite shifts `Date.now`, and not what it was before. */
const dateNow = Date.now

/** A `Date` of whole seconds is known to about two round trips, which may take some time on a busy machine. */
const CLOCK_ERROR = 60

/** With the clock of this machine, which is dynalite's, read exactly. */
class ExactStore extends DynamoStore {
  override async now(): Promise<TimeBounds> {
    return { earliest: dateNow(), latest: dateNow() }
  }
}

/** For what compares times exactly, such as a model: all but the estimate of the clock is as ever. */
export function exactDynamodbSubject(url: string): ConformanceSubject {
  const table = newTable()
  return {
    ...dynamodbSubject(url, table),
    connect() {
      const estimate = new ClockEstimate(1_000)
      const calls = new DynamoCalls(parseDynamodbUrl(url), estimate)
      return versionedProvider(new ExactStore(calls, new DateClock(estimate, () => calls.sampleClock(table)), table))
    },
  }
}

export function dynamodbSubject(url: string, table = newTable()): ConformanceSubject {
  const own = dynamodbClient(url, table)
  const places = new Set<string>()
  const placeOf = (place: string): string => {
    places.add(`${table}-${place}`)
    return `${table}-${place}`
  }
  const write = (name: string, record: AttributeValue, version: AttributeValue = { S: randomUUID() }) =>
    own.put({ name: { S: name }, record, version })
  return {
    name: 'dynamodb',
    clock: 'store',
    clockError: CLOCK_ERROR,
    connect: () => dynamodb({ url, table }),
    now: () => dateNow(),
    look: async (name) => storedRecord((await own.get(name))?.record?.S),
    lose: async (name) => void (await own.delete(name)),
    unreachable: () => dynamodb('dynamodb+http://ticklock:any-secret@127.0.0.1:1?region=eu-central-1'),
    unprepared: (place) => dynamodb({ url, table: placeOf(place) }),
    async clientSurvivesClose() {
      const client = new DynamoDBClient(parseDynamodbUrl(url))
      const provider = dynamodb({ client, table })
      await provider.read()
      await provider.close()
      const { TableNames } = await client.send(new ListTablesCommand({}))
      client.destroy()
      return TableNames !== undefined
    },
    poisons: {
      ...jsonPoisons(
        async (name) => (await own.get(name))?.record?.S,
        (name, value) => write(name, { S: value }),
      ),
      'a record that is no string': (name) => write(name, { N: '7' }),
      'a version that is no string': (name) => write(name, { S: '{}' }, { N: '7' }),
      'an item without record and version': (name) => own.put({ name: { S: name } }),
    },
    lockRecord: 'DynamoDB has no transactions that stay open',
    asShedLock: "ShedLock's DynamoDB provider keeps no last tick, and decides by the clock of the client",
    keepsNoHistory: 'the table has only the partition key, so a history could not be read in order',
    async before() {
      const provider = dynamodb({ url, table })
      await provider.setup?.()
      await provider.close()
    },
    after: () => own.end([table, ...places]),
  }
}

/*
 * DynamoDB as a versioned store. Each lock is one item, without DynamoDB's time to live: that would delete the last
 * tick. The version is a random id of each write.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { StoreError } from '../../src/errors.ts'
import { inChunks, inChunksEach } from '../../src/provider/versioned/chunks.ts'
import type { DateClock } from '../../src/provider/versioned/date-clock.ts'
import type {
  TimeBounds,
  VersionedCall,
  VersionedEntry,
  VersionedName,
  VersionedStore,
  VersionedWrite,
  WriteResult,
} from '../../src/provider/versioned/store.ts'
import {
  type AttributeValue,
  type DynamoCalls,
  type Inputs,
  type MakeCommand,
  type Outputs,
  TIMEOUT,
} from './client.ts'
import { setUpTable } from './table.ts'

/** BatchGetItem takes this many keys. */
const READ_CHUNK = 100
/** As many writes are under way for each of the eight chunks of a batch. */
const WRITE_CHUNK = 4
/** Before the keys are read again that DynamoDB left out since it is busy; in ms. */
const LONGEST_BACKOFF = 100

type Item = Readonly<Record<string, AttributeValue>>

export class DynamoStore implements VersionedStore {
  readonly #calls: DynamoCalls
  readonly #clock: DateClock
  readonly #table: string
  /** Why nothing is decided in this table, if `setup()` found that it can't keep locks. */
  #refused: StoreError | undefined

  constructor(calls: DynamoCalls, clock: DateClock, table: string) {
    this.#calls = calls
    this.#clock = clock
    this.#table = table
  }

  async get(names: readonly string[], { timeout }: VersionedCall): Promise<readonly VersionedEntry[]> {
    const deadline = performance.now() + timeout
    return await inChunks(names, READ_CHUNK, async (chunk) => {
      const entries: VersionedEntry[] = []
      let Keys = chunk.map(keyOf)
      for (let attempt = 1; ; attempt++) {
        const RequestItems = { [this.#table]: { Keys, ConsistentRead: true } }
        const left = deadline - performance.now()
        const response = await this.#send((sdk) => new sdk.BatchGetItemCommand({ RequestItems }), left)
        entries.push(...(response.Responses?.[this.#table] ?? []).map(entryOf))
        Keys = (response.UnprocessedKeys?.[this.#table]?.Keys ?? []) as typeof Keys
        if (Keys.length === 0) return entries
        await sleep(Math.random() * Math.min(2 ** attempt, LONGEST_BACKOFF))
      }
    })
  }

  async put(writes: readonly VersionedWrite[], { timeout }: VersionedCall): Promise<readonly WriteResult[]> {
    return await inChunksEach(writes, WRITE_CHUNK, (write) => this.#put(write, timeout))
  }

  async list(): Promise<readonly VersionedEntry[]> {
    const entries: VersionedEntry[] = []
    let from: Item | undefined
    do {
      const page = { TableName: this.#table, ConsistentRead: true, ...(from && { ExclusiveStartKey: { ...from } }) }
      const { Items = [], LastEvaluatedKey } = await this.#send((sdk) => new sdk.ScanCommand(page), TIMEOUT)
      entries.push(...Items.map(entryOf))
      from = LastEvaluatedKey
    } while (from)
    return entries
  }

  async remove(names: readonly VersionedName[]): Promise<number> {
    const removed = await inChunksEach(names, WRITE_CHUNK, (name) => this.#remove(name))
    return removed.filter(Boolean).length
  }

  async now(): Promise<TimeBounds> {
    return await this.#clock.now()
  }

  /** Makes the table, and measures the clock before the first lock is wanted. */
  async setup(): Promise<void> {
    try {
      await setUpTable(this.#calls, this.#table)
      this.#refused = undefined
    } catch (error) {
      if (error instanceof StoreError) this.#refused = error
      throw error
    }
    await this.now()
  }

  async close(): Promise<void> {
    this.#calls.close()
  }

  async #put({ name, value, version }: VersionedWrite, timeout: number): Promise<WriteResult> {
    const { condition, names, values } = unchanged(version)
    const input = {
      TableName: this.#table,
      Key: keyOf(name),
      UpdateExpression: 'SET #record = :record, #version = :new',
      ConditionExpression: condition,
      ExpressionAttributeNames: { ...names, '#record': 'record', '#version': 'version' },
      ExpressionAttributeValues: { ...values, ':record': { S: value }, ':new': { S: randomUUID() } },
    }
    try {
      await this.#send((sdk) => new sdk.UpdateItemCommand(input), timeout)
      return 'written'
    } catch (error) {
      // A second attempt of the SDK fails by what the first has written, if only the response was lost: then nobody
      // knows.
      return isRefused(error) && error.$metadata?.attempts === 1 ? 'conflict' : (error as Error)
    }
  }

  async #remove({ name, version }: VersionedName): Promise<boolean> {
    const { condition, names, values } = unchanged(version)
    const input = {
      TableName: this.#table,
      Key: keyOf(name),
      ConditionExpression: condition,
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
    }
    try {
      await this.#send((sdk) => new sdk.DeleteItemCommand(input), TIMEOUT)
      return true
    } catch (error) {
      if (isRefused(error)) return false
      throw error
    }
  }

  async #send<Input extends Inputs, Output extends Outputs>(
    make: MakeCommand<Input, Output>,
    timeout: number,
  ): Promise<Output> {
    if (this.#refused) throw this.#refused
    try {
      return await this.#calls.send(make, timeout)
    } catch (error) {
      if ((error as Error).name !== 'ResourceNotFoundException') throw error
      const message = `there is no DynamoDB table ${this.#table}: call provider.setup() once, or run \`ticklock setup\``
      throw new StoreError(message, { cause: error })
    }
  }
}

/** What an error of the SDK says about its request. */
type RefusedError = Error & { readonly $metadata?: { readonly attempts?: number } }

const isRefused = (error: unknown): error is RefusedError => (error as Error).name === 'ConditionalCheckFailedException'

const keyOf = (name: string) => ({ name: { S: name } })

/** An item without a version of ours has the version `''`: somebody else wrote it. */
const entryOf = ({ name, record, version }: Item): VersionedEntry => ({
  name: name?.S ?? '',
  value: record?.S ?? '',
  version: version?.S ?? '',
})

/** The condition that an item still has this version. */
function unchanged(version: string | undefined) {
  if (version === undefined)
    return { condition: 'attribute_not_exists(#name)', names: { '#name': 'name' }, values: undefined }
  if (version === '')
    return {
      condition: 'attribute_exists(#name) AND NOT attribute_type(#version, :string)',
      names: { '#name': 'name', '#version': 'version' },
      values: { ':string': { S: 'S' } },
    }
  return { condition: '#version = :old', names: { '#version': 'version' }, values: { ':old': { S: version } } }
}

/* The table of the locks: made once, and refused where DynamoDB can't keep locks in it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { StoreError } from '../../src/errors.ts'
import { type CreateTableCommandInput, type DynamoCalls, type TableDescription, TIMEOUT } from './client.ts'

/** A new table is ready within some ten seconds; in ms. */
const READY_WITHIN = 60_000
const LOOK_EVERY = 250

/** Makes the table if there is none, waits until it is ready, and checks it. Several nodes may do so at once. */
export async function setUpTable(calls: DynamoCalls, table: string): Promise<void> {
  const deadline = performance.now() + READY_WITHIN
  for (;;) {
    const description = await describe(calls, table)
    if (!description) await create(calls, table)
    else if (description.TableStatus === 'ACTIVE' || description.TableStatus === 'UPDATING')
      return checkTable(description, table)
    if (performance.now() > deadline)
      throw new StoreError(`the DynamoDB table ${table} is ${description?.TableStatus} after ${READY_WITHIN} ms`)
    await sleep(LOOK_EVERY)
  }
}

/** @throws {StoreError} for a table whose key is another, or whose replicas may grant one lock twice. */
export function checkTable({ KeySchema, AttributeDefinitions, ...description }: TableDescription, table: string): void {
  const [key, ...more] = KeySchema ?? []
  const type = AttributeDefinitions?.find(({ AttributeName }) => AttributeName === key?.AttributeName)?.AttributeType
  if (key?.AttributeName !== 'name' || type !== 'S' || more.length > 0)
    throw new StoreError(
      `the DynamoDB table ${table} must have the partition key "name" of type S and no sort key: choose another table`,
    )
  const { Replicas = [], MultiRegionConsistency } = description
  if (Replicas.length > 0 && MultiRegionConsistency !== 'STRONG')
    throw new StoreError(
      `the DynamoDB table ${table} is a global table with eventual consistency, whose regions may grant one lock twice: ` +
        'use a table of one region, or a global table with strong consistency',
    )
}

async function describe(calls: DynamoCalls, table: string): Promise<TableDescription | undefined> {
  try {
    const { Table } = await calls.send((sdk) => new sdk.DescribeTableCommand({ TableName: table }), TIMEOUT)
    return Table
  } catch (error) {
    if ((error as Error).name === 'ResourceNotFoundException') return undefined
    throw error
  }
}

async function create(calls: DynamoCalls, table: string): Promise<void> {
  const input: CreateTableCommandInput = {
    TableName: table,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: 'name', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'name', AttributeType: 'S' }],
  }
  try {
    await calls.send((sdk) => new sdk.CreateTableCommand(input), TIMEOUT)
  } catch (error) {
    // Another node makes it at the same time.
    if ((error as Error).name !== 'ResourceInUseException') throw error
  }
}

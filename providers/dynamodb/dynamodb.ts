import type { LockProvider } from '../../src/provider/contract.ts'
import { ClockEstimate } from '../../src/provider/versioned/clock-estimate.ts'
import { DATE_RESOLUTION, DateClock } from '../../src/provider/versioned/date-clock.ts'
import { versionedProvider } from '../../src/provider/versioned/provider.ts'
import { DynamoCalls } from './client.ts'
import { checked, type DynamodbOptions } from './options.ts'
import { DynamoStore } from './store.ts'
import { parseDynamodbUrl } from './url.ts'

/**
 * Keeps locks in a table of Amazon DynamoDB. Takes a URL or options, and needs the package `@aws-sdk/client-dynamodb`.
 * `setup()` makes the table. The clock that decides is DynamoDB's, see docs/providers/dynamodb.md.
 *
 * @throws {InvalidOptionError} for an unknown or wrong option.
 */
export function dynamodb(input: string | DynamodbOptions): LockProvider {
  const { url, client, table = 'ticklock' } = checked(input)
  const estimate = new ClockEstimate(DATE_RESOLUTION)
  const calls = new DynamoCalls(client ?? parseDynamodbUrl(url ?? ''), estimate)
  return versionedProvider(new DynamoStore(calls, new DateClock(estimate, () => calls.sampleClock(table)), table))
}

/* The AWS SDK's client: the user's, or one of our own. Loaded at the first call, so that importing the provider needs no package. */
import type {
  $Command,
  AttributeValue,
  CreateTableCommandInput,
  DynamoDBClient,
  DynamoDBClientResolvedConfig,
  ServiceInputTypes as Inputs,
  ServiceOutputTypes as Outputs,
  TableDescription,
} from '@aws-sdk/client-dynamodb'
import { StoreError } from '../../src/errors.ts'
import type { ClockEstimate, ClockSample } from '../../src/provider/versioned/clock-estimate.ts'
import type { DynamoClient } from './options.ts'
import type { DynamoAddress } from './url.ts'

type Sdk = typeof import('@aws-sdk/client-dynamodb')
/** Makes a command of the SDK. */
export type MakeCommand<Input extends Inputs, Output extends Outputs> = (
  sdk: Sdk,
) => $Command<Input, Output, DynamoDBClientResolvedConfig>
export type { AttributeValue, CreateTableCommandInput, Inputs, Outputs, TableDescription }

/** For calls without a timeout of their own, in ms. */
export const TIMEOUT = 5_000

export class DynamoCalls {
  readonly #given: DynamoClient | undefined
  readonly #address: DynamoAddress
  readonly #estimate: ClockEstimate
  readonly #closing = new AbortController()
  #own: DynamoDBClient | undefined

  /** @param estimate observes the `Date` of every response */
  constructor(client: DynamoClient | DynamoAddress, estimate: ClockEstimate) {
    this.#given = 'send' in client ? client : undefined
    this.#address = 'send' in client ? {} : client
    this.#estimate = estimate
  }

  /**
   * Sends a command. When it rejects, DynamoDB may have done it.
   *
   * @param timeout in ms, over all attempts of the SDK
   */
  async send<Input extends Inputs, Output extends Outputs>(
    make: MakeCommand<Input, Output>,
    timeout: number,
    observe = (sample: ClockSample): void => this.#estimate.observe(sample),
  ): Promise<Output> {
    const sdk = await loadSdk()
    const command = make(sdk)
    observeDate(command, observe)
    const late = AbortSignal.timeout(Math.max(1, Math.ceil(timeout)))
    try {
      const abortSignal = AbortSignal.any([late, this.#closing.signal])
      return (await this.#client(sdk).send(command as never, { abortSignal })) as Output
    } catch (error) {
      this.#closing.signal.throwIfAborted()
      if (!late.aborted) throw error
      throw new Error(`DynamoDB did not respond within ${Math.ceil(timeout)} ms`, { cause: error })
    }
  }

  /**
   * Reads one key for the `Date` of the response, which even a refusal has. Needs no right that the locks don't need.
   */
  async sampleClock(table: string): Promise<ClockSample> {
    let sample: ClockSample | undefined
    const input = { TableName: table, Key: { name: { S: 'ticklock' } } }
    const sent = this.send(
      (sdk) => new sdk.GetItemCommand(input),
      TIMEOUT,
      (observed) => {
        sample = observed
      },
    )
    await sent.catch((error: unknown) => {
      if (!sample) throw error
    })
    if (!sample) throw new Error('DynamoDB sends no Date header, so its time is unknown')
    return sample
  }

  /** Idempotent. A client of the user's stays open. */
  close(): void {
    this.#closing.abort(new Error('the provider was closed'))
    this.#own?.destroy()
  }

  #client(sdk: Sdk): DynamoClient {
    this.#closing.signal.throwIfAborted()
    if (this.#given) return this.#given
    this.#own ??= new sdk.DynamoDBClient(this.#address)
    return this.#own
  }
}

/**
 * A middleware of the command itself, so that a client of the user's is left as it is. It sees the response to each
 * attempt.
 */
function observeDate<Input extends Inputs, Output extends Outputs>(
  command: ReturnType<MakeCommand<Input, Output>>,
  observe: (sample: ClockSample) => void,
): void {
  command.middlewareStack.add(
    (next) => async (args) => {
      const sentAt = performance.now()
      const result = await next(args)
      const { headers } = result.response as { readonly headers?: Readonly<Record<string, string>> }
      const time = Date.parse(headers?.date ?? '')
      if (!Number.isNaN(time)) observe({ time, sentAt, receivedAt: performance.now() })
      return result
    },
    { step: 'deserialize', priority: 'low' },
  )
}

async function loadSdk(): Promise<Sdk> {
  try {
    return await import('@aws-sdk/client-dynamodb')
  } catch (cause) {
    throw new StoreError(
      'DynamoDB needs the package @aws-sdk/client-dynamodb: run `npm install @aws-sdk/client-dynamodb`',
      { cause },
    )
  }
}

import { show } from '../../src/duration.ts'
import { InvalidOptionError } from '../../src/errors.ts'

/** The part of `DynamoDBClient` of `@aws-sdk/client-dynamodb` that the provider uses. */
export interface DynamoClient {
  send(command: never, options?: { readonly abortSignal?: AbortSignal }): Promise<unknown>
}

export interface DynamodbOptions {
  /**
   * `dynamodb://REGION` for AWS, with the credentials that the SDK finds; or
   * `dynamodb+http://[key:secret@]host[:port][?region=…]` and `dynamodb+https://…` for another server of the protocol.
   * In place of `client`.
   */
  readonly url?: string | undefined
  /** Your own `DynamoDBClient`. It is never closed. In place of `url`. */
  readonly client?: DynamoClient | undefined
  /** The table: 3 to 255 of the characters `a-z A-Z 0-9 _ . -`. @default 'ticklock' */
  readonly table?: string | undefined
}

const OPTIONS = ['url', 'client', 'table']
const TABLE = /^[\w.-]{3,255}$/

/** @throws {InvalidOptionError} for an unknown or wrong option. */
export function checked(input: string | DynamodbOptions): DynamodbOptions {
  const options = typeof input === 'string' ? { url: input } : input
  if (typeof options !== 'object' || options === null)
    throw new InvalidOptionError(`dynamodb takes a URL or options, but got ${show(input)}`)
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key))
  if (unknown !== undefined)
    throw new InvalidOptionError(`dynamodb: unknown option ${show(unknown)}; the options are ${OPTIONS.join(', ')}`)
  const { url, client, table } = options
  if ((url === undefined) === (client === undefined))
    throw new InvalidOptionError('dynamodb: give either url or client')
  if (url !== undefined && typeof url !== 'string')
    throw new InvalidOptionError(`dynamodb: url must be a string, but is ${show(url)}`)
  if (client !== undefined && typeof client?.send !== 'function')
    throw new InvalidOptionError(`dynamodb: client must be a DynamoDBClient, but is ${show(client)}`)
  if (table !== undefined && !(typeof table === 'string' && TABLE.test(table)))
    throw new InvalidOptionError(
      `dynamodb: table must be 3 to 255 of the characters a-z A-Z 0-9 _ . -, but is ${show(table)}`,
    )
  return options
}

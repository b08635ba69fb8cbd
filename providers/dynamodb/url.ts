import { InvalidOptionError } from '../../src/errors.ts'

/** What a URL says, in the form that `new DynamoDBClient()` takes. */
export interface DynamoAddress {
  readonly region?: string
  readonly endpoint?: string
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

const AWS = /^dynamodb:\/\/([a-z]{2}(?:-[a-z]+)+-\d+)\/?$/
const OTHER = /^dynamodb\+(https?):\/\/(?:(.*)@)?([^@/?#\s]+)\/?(?:\?region=([\w-]+))?$/

/**
 * Reads `dynamodb://REGION` for AWS, or `dynamodb+http://[key:secret@]host[:port][?region=…]` (`dynamodb+https://…`)
 * for another server of the same protocol.
 *
 * @throws {InvalidOptionError} for any other; the message never has the URL in it, since that may hold a secret.
 */
export function parseDynamodbUrl(url: string): DynamoAddress {
  const [, awsRegion] = AWS.exec(url) ?? []
  if (awsRegion !== undefined) return { region: awsRegion }
  const [, protocol, login, host, region] = OTHER.exec(url) ?? []
  const endpoint = `${protocol}://${host}`
  if (host === undefined || !URL.canParse(endpoint)) {
    throw new InvalidOptionError(
      "url must be 'dynamodb://REGION', such as 'dynamodb://eu-central-1', or 'dynamodb+http://[key:secret@]host:port[?region=REGION]' " +
        "('dynamodb+https://…' with TLS); set the table by the option table",
    )
  }
  const credentials = parseLogin(login)
  return { endpoint, ...(region !== undefined && { region }), ...(credentials && { credentials }) }
}

function parseLogin(login: string | undefined): DynamoAddress['credentials'] {
  if (login === undefined) return undefined
  const [accessKeyId = '', secretAccessKey = ''] = login.split(/:(.*)/s).map(decode)
  if (accessKeyId === '' || secretAccessKey === '') {
    throw new InvalidOptionError(
      "url must have both an access key and a secret, as in 'dynamodb+http://key:secret@localhost:8000'",
    )
  }
  return { accessKeyId, secretAccessKey }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a stray % in a secret
  }
}

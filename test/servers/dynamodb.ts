import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { onFreePort } from './free-port.ts'
import { ServerProcess } from './server-process.ts'
import type { ServerKind } from './test-server.ts'

const require = createRequire(import.meta.url)
const TSX = pathToFileURL(require.resolve('tsx')).href
const FRESH_DATE = new URL('./fresh-date.ts', import.meta.url).href

/** Dynalite, a stand-in for DynamoDB that keeps its tables in LevelDB. What it has acknowledged outlives a kill. */
export const dynamodb: ServerKind = {
  variable: 'TICKLOCK_TEST_DYNAMODB_URL',
  version: dynamodbVersion,
  async start() {
    const server = await onFreePort(launchDynalite)
    return { url: dynaliteUrl(server.port), processes: [server] }
  },
}

const dynaliteUrl = (port: number): string =>
  `dynamodb+http://ticklock:any-secret@127.0.0.1:${port}?region=eu-central-1`

/** DynamoDB, and dynalite like it, says "healthy" to a GET by anybody, and nothing of a version. */
async function dynamodbVersion(url: string): Promise<string> {
  const [, protocol, host] = /^dynamodb\+(https?):\/\/(?:.*@)?([^/?]+)/.exec(url) ?? []
  const endpoint = protocol
    ? `${protocol}://${host}`
    : `https://dynamodb.${url.slice('dynamodb://'.length)}.amazonaws.com`
  const response = await fetch(endpoint, { signal: AbortSignal.timeout(5_000) })
  const { version } = require('dynalite/package.json') as { readonly version: string }
  return protocol ? `dynalite ${version}` : (await response.text()).trim()
}

async function launchDynalite(port: number): Promise<ServerProcess> {
  const program = require.resolve('dynalite/cli.js')
  return await ServerProcess.launch({
    name: 'dynamodb',
    port,
    program: process.execPath,
    args: (folder) => [
      ...['--import', TSX, '--import', FRESH_DATE],
      program,
      ...['--host', '127.0.0.1', '--port', String(port), '--path', `${folder}/data`],
      ...['--createTableMs', '20', '--deleteTableMs', '20'],
    ],
    probe: () => dynamodbVersion(dynaliteUrl(port)),
  })
}

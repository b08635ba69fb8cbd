import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RIGHT, WRONG } from './config-files.ts'

// What editors say of a config file: they ask yaml-language-server, which reads the schema named in the file's first
// line.
const require = createRequire(import.meta.url)
const program = require.resolve('yaml-language-server/bin/yaml-language-server')
const rpc: typeof import('vscode-jsonrpc/node') = createRequire(program)('vscode-jsonrpc/node')
const schema = require.resolve('../../../config.schema.json')

interface Diagnostics {
  readonly uri: string
  readonly diagnostics: readonly {
    readonly message: string
    readonly range: { readonly start: { readonly line: number } }
  }[]
}

let connection: ReturnType<typeof rpc.createMessageConnection>
let server: ReturnType<typeof spawnServer>
const waiting = new Map<string, (diagnostics: Diagnostics['diagnostics']) => void>()

const spawnServer = () => spawn(process.execPath, [program, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] })

beforeAll(async () => {
  server = spawnServer()
  connection = rpc.createMessageConnection(
    new rpc.StreamMessageReader(server.stdout),
    new rpc.StreamMessageWriter(server.stdin),
  )
  connection.onNotification('textDocument/publishDiagnostics', ({ uri, diagnostics }: Diagnostics) =>
    waiting.get(uri)?.(diagnostics),
  )
  connection.onRequest('workspace/configuration', ({ items }: { items: readonly { readonly section: string }[] }) =>
    items.map(({ section }) => (section === 'yaml' ? { validate: true, schemaStore: { enable: false } } : {})),
  )
  connection.onRequest('client/registerCapability', () => null)
  connection.listen()
  const capabilities = { workspace: { configuration: true }, textDocument: { publishDiagnostics: {} } }
  await connection.sendRequest('initialize', { processId: process.pid, rootUri: null, capabilities })
  await connection.sendNotification('initialized', {})
})
afterAll(() => {
  connection.dispose()
  server.kill()
})

let count = 0
/** What the editor marks, a line each. */
async function marked(config: string): Promise<string[]> {
  const text = `# yaml-language-server: $schema=${pathToFileURL(schema)}\n${config}\n`
  const uri = `file:///config-${++count}.yaml`
  const diagnostics = new Promise<Diagnostics['diagnostics']>((resolve) => waiting.set(uri, resolve))
  await connection.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'yaml', version: 1, text },
  })
  return (await diagnostics).map(({ message, range }) => `${range.start.line}: ${message}`)
}

describe('an editor with yaml-language-server', () => {
  // All at once: the server waits a while before it looks at a file.
  it('marks nothing in right files', async () => {
    const files = await Promise.all(RIGHT.map(async ([what, text]) => ({ what, marked: await marked(text) })))
    expect(files.filter(({ marked }) => marked.length > 0)).toEqual([])
  })

  it('marks each wrong file', async () => {
    const files = await Promise.all(WRONG.map(async ([what, text]) => ({ what, marked: await marked(text) })))
    expect(files.filter(({ marked }) => marked.length === 0)).toEqual([])
  })

  it('says which option is too much, and which is missing', async () => {
    const job = (...lines: string[]): string =>
      ['jobs:', '  - name: a', ...lines.map((line) => `    ${line}`)].join('\n')
    const rest = ['lockAtMostFor: 1m', 'shell: echo']
    expect(await marked(job('every: 1m', 'cron: 0 2 * * *', ...rest))).toEqual(['4: Property cron is not allowed.'])
    expect(await marked(job('every: 1m', 'exec: [a]', ...rest))).toEqual(['6: Property shell is not allowed.'])
    expect(await marked(job('every: 1m', 'shell: echo'))).toEqual(['2: Missing property "lockAtMostFor".'])
  })
})

import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { type Command, Option } from 'commander'
import { openStore, type StorePlan } from '../../config/store.ts'
import type { Logger } from '../../logger.ts'
import type { LockProvider } from '../../provider/contract.ts'
import type { LockServer, ServerMetrics, TlsFiles } from '../../serve/index.ts'
import type { Cli } from '../cli.ts'
import type { Action } from '../command-file.ts'
import { duration } from '../duration-option.ts'
import { Failure, UsageError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import type { LogOptions } from '../log.ts'
import { setUpStore } from '../set-up-store.ts'
import { onStopSignal } from '../signals.ts'
import { chooseStore, type StoreOption, storeOption } from '../store-option.ts'
import { wholeNumber } from '../whole-number.ts'

/** Where the token comes from: an argument would be seen by everybody who lists processes. */
const TOKEN = 'TICKLOCK_SERVE_TOKEN'

interface ServeCommandOptions extends StoreOption, LogOptions {
  readonly listen: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly mostConnections: number
  readonly stopGraceFor: number
}

export function define(command: Command, cli: Cli, choose: (action: Action) => void): void {
  storeOption(command)
    .description(
      'Shares the locks of a store over HTTP, for nodes that cannot or must not reach the store itself, and for programs in any language. Start as many as you like on one store.',
    )
    .option('-l, --listen <address>', 'where to listen, such as 0.0.0.0:7420 or [::]:7420', '127.0.0.1:7420')
    .option('--tls-cert <file>', 'the certificate, as PEM, for HTTPS')
    .option('--tls-key <file>', 'its key, as PEM')
    .option('--most-connections <n>', 'the most open connections', wholeNumber(1, 10_000), 1_000)
    .addOption(
      new Option('--stop-grace-for <duration>', 'how long calls under way may take after SIGTERM')
        .argParser(duration(0))
        .default(10_000, '10s'),
    )
    .addOption(
      new Option('--log-level <level>', 'the least level that is logged')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addOption(
      new Option('--log-format <format>', 'auto: readable in a terminal, else JSON')
        .choices(['auto', 'pretty', 'json'])
        .default('auto'),
    )
    .addHelpText('after', HELP)
    .action((options: ServeCommandOptions) => choose(() => run(cli, options)))
}

const HELP = `
Clients send the token in the environment variable ${TOKEN} (at least 16 characters), in the header
authorization: Bearer <token>. It is required when --listen leads beyond this machine. Whoever has it may take and
release every lock. Without TLS, or a proxy with TLS before it, everybody on the network's way can read it.

GET /healthz, /readyz and /metrics (with npm install prom-client) watch the server; the last needs the token.

Signals:
  SIGTERM, SIGINT   take no new connections, end the calls under way, exit. A second one exits at once.
  SIGHUP            read the certificate and its key again.

Examples:
  TICKLOCK_STORE=postgres://app@db/app ${TOKEN}=$(cat token) ticklock serve --listen 0.0.0.0:7420
  ${TOKEN}=$(cat token) ticklock status --store http://locks:7420

Exit codes: 0 after a stop, 1 can't listen, 64 wrong usage, 69 the driver of the store is missing, 78 wrong config.
`

async function run(cli: Cli, options: ServeCommandOptions): Promise<number> {
  const store = await chooseStore(cli, options)
  const tls = readTls(options)
  const token = cli.environment[TOKEN] || undefined
  if (token !== undefined) cli.secrets.addToken(token)
  const { createLog } = await import('../log.ts')
  const logger = createLog(cli, options)
  const stopped = untilStopped(logger)
  const stopping = new AbortController()
  const provider = await openStore(store)
  try {
    await setUpStore({ store, provider, logger, withHistory: true, signal: stopping.signal })
    const server = await listen(options, { provider, token, tls, logger, metrics: await loadMetrics(logger) })
    logger.info({}, greeting(store, server, token))
    const onHangup = (): void => reloadTls(options, server, logger)
    process.on('SIGHUP', onHangup)
    await stopped
    await server.close({ graceFor: options.stopGraceFor })
    process.off('SIGHUP', onHangup)
    logger.info({}, 'stopped')
    return EXIT.ok
  } finally {
    stopping.abort()
    await provider.close()
  }
}

interface Parts {
  readonly provider: LockProvider
  readonly token: string | undefined
  readonly tls: TlsFiles | undefined
  readonly logger: Logger
  readonly metrics: ServerMetrics | undefined
}

async function listen({ listen: address, mostConnections }: ServeCommandOptions, parts: Parts): Promise<LockServer> {
  const { serve } = await import('../../serve/index.ts')
  try {
    return await serve({ ...parts, listen: address, mostConnections })
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    if (code === 'INVALID_OPTION' && /needs a token/.test(message)) throw new UsageError(`${message}; set ${TOKEN}`)
    if (code === 'INVALID_OPTION' && /token/.test(message)) throw new UsageError(`${TOKEN}: ${message}`)
    if (code.startsWith('ERR_OSSL') || code.startsWith('ERR_SSL'))
      throw new UsageError(`--tls-cert and --tls-key must be a certificate and its key, as PEM: ${message}`)
    if (code === '' || code === 'INVALID_OPTION') throw error
    throw new Failure(`can't listen on ${address}: ${message}`)
  }
}

function greeting({ kind, shown }: StorePlan, { url }: LockServer, token: string | undefined): string {
  const who = token === undefined ? `, to every process of this machine: set ${TOKEN} to demand a token` : ''
  return `serving the locks of ${kind.name} at ${shown} on ${url}${who}`
}

function readTls({ tlsCert, tlsKey }: ServeCommandOptions): TlsFiles | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined) throw new UsageError('--tls-cert and --tls-key go together')
  return { cert: readPem('--tls-cert', tlsCert), key: readPem('--tls-key', tlsKey) }
}

function readPem(option: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`)
  }
}

function reloadTls(options: ServeCommandOptions, server: LockServer, logger: Logger): void {
  try {
    const tls = readTls(options)
    if (tls) server.renewTls(tls)
    logger.info(
      {},
      tls ? 'SIGHUP: new connections use the certificate as it is now' : 'SIGHUP: there is no certificate',
    )
  } catch (err) {
    logger.error({ err }, 'SIGHUP: the certificate is wrong; the one in use stays')
  }
}

/** Metrics, where their package is installed. */
async function loadMetrics(logger: Logger): Promise<ServerMetrics | undefined> {
  try {
    return (await import('../../prometheus/index.ts')).serverMetrics()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    logger.info({}, 'no /metrics: npm install prom-client to have them')
    return undefined
  }
}

function untilStopped(logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    onStopSignal((signal, count) => {
      if (count > 1) process.exit(128 + constants.signals[signal])
      logger.info({}, `${signal}: takes no new connections, ends the calls under way (again: ends at once)`)
      resolve()
    })
  })
}

/* PostgreSQL behind one address that moves with the primary, as a virtual IP or a pooler does. */
import { postgres } from 'ticklock/postgres'
import { findOrInstall } from '../../../servers/find-program.ts'
import { onFreePort } from '../../../servers/free-port.ts'
import { launchPostgres, postgresUrl, postgresVersion } from '../../../servers/postgres.ts'
import { startPostgresPair } from '../../../servers/postgres-pair.ts'
import { killed } from '../../faults/server-store.ts'
import { TcpProxy } from '../../tcp-proxy.ts'
import { readAll, type Scenario, stopAll, type Topology } from '../topology.ts'

interface PairCase {
  readonly synchronous: boolean
  /** How much later the standby gets what the primary has written, in ms. */
  readonly lag?: number
  /** The primary is not killed but stopped, and goes on after a while, when the standby has taken over. */
  readonly returns?: boolean
}

async function pair({ synchronous, lag = 0, returns = false }: PairCase): Promise<Topology> {
  let link: TcpProxy | undefined
  const linkPort = async (port: number): Promise<number> => {
    link = await TcpProxy.to(port)
    return link.port
  }
  const { primary, standby, version, promote, stop } = await startPostgresPair({ synchronous, linkPort })
  const address = await TcpProxy.to(primary.port)
  const connect = () => postgres(postgresUrl(address.port))
  link?.delay(lag)
  return {
    version,
    connect,
    async fail() {
      address.refuse()
      if (returns) primary.pause()
      else await killed(primary)
      link?.cut(true)
      await promote()
      const survived = await readAll(postgres(postgresUrl(standby.port)))
      address.redirect(standby.port)
      return survived
    },
    ...(returns && { restore: async () => primary.resume() }),
    stop: () =>
      stopAll(
        stop,
        () => address.close(),
        () => link?.close(),
      ),
  }
}

async function restart(...options: readonly string[]): Promise<Topology> {
  const program = await findOrInstall('postgresql', 'postgres')
  const server = await onFreePort((port) => launchPostgres('postgres', program, port, '-c', 'fsync=on', ...options))
  const address = await TcpProxy.to(server.port)
  return {
    version: await postgresVersion(postgresUrl(server.port)),
    connect: () => postgres(postgresUrl(address.port)),
    async fail() {
      address.refuse()
      const restored = await killed(server)
      await restored()
      const survived = await readAll(postgres(postgresUrl(server.port)))
      address.redirect(server.port)
      return survived
    },
    stop: () =>
      stopAll(
        () => server.stop(),
        () => address.close(),
      ),
  }
}

const KILL = 'primary killed, standby promoted'
const RETURN = 'primary stopped, standby promoted, old primary goes on'

export const postgresScenarios: readonly Scenario[] = [
  {
    name: 'postgres-sync',
    store: 'PostgreSQL, synchronous standby',
    failure: KILL,
    start: () => pair({ synchronous: true }),
  },
  {
    name: 'postgres-sync-returns',
    store: 'PostgreSQL, synchronous standby',
    failure: RETURN,
    after: 10_000,
    start: () => pair({ synchronous: true, returns: true }),
  },
  {
    name: 'postgres-async',
    store: 'PostgreSQL, asynchronous standby',
    failure: KILL,
    start: () => pair({ synchronous: false }),
  },
  {
    name: 'postgres-async-lag',
    store: 'PostgreSQL, asynchronous standby 200 ms behind',
    failure: KILL,
    start: () => pair({ synchronous: false, lag: 200 }),
  },
  {
    name: 'postgres-async-returns',
    store: 'PostgreSQL, asynchronous standby',
    failure: RETURN,
    after: 10_000,
    start: () => pair({ synchronous: false, returns: true }),
  },
  {
    name: 'postgres-restart',
    store: 'PostgreSQL, `synchronous_commit = on`',
    failure: 'killed, restarted',
    start: () => restart(),
  },
  {
    name: 'postgres-restart-async',
    store: 'PostgreSQL, `synchronous_commit = off`',
    failure: 'killed, restarted',
    start: () => restart('-c', 'synchronous_commit=off'),
  },
]

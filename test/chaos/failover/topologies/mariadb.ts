/* MariaDB behind one address that moves with the primary. */
import { mysql } from 'ticklock/mysql'
import { startMariadbPair } from '../../../servers/mariadb-pair.ts'
import { mysqlUrl } from '../../../servers/mysql-client.ts'
import { TcpProxy } from '../../tcp-proxy.ts'
import { readAll, type Scenario, stopAll, type Topology } from '../topology.ts'

/** @param lag how much later the replica gets what the primary has written, in ms */
async function pair(semiSynchronous: boolean, lag = 0): Promise<Topology> {
  let link: TcpProxy | undefined
  const linkPort = async (port: number): Promise<number> => {
    link = await TcpProxy.to(port)
    return link.port
  }
  const { primary, replica, version, promote, stop } = await startMariadbPair({ semiSynchronous, linkPort })
  const address = await TcpProxy.to(primary.port)
  link?.delay(lag)
  return {
    version,
    connect: () => mysql(mysqlUrl(address.port)),
    async fail() {
      address.refuse()
      await primary.kill()
      link?.cut(true)
      await promote()
      const survived = await readAll(mysql(mysqlUrl(replica.port)))
      address.redirect(replica.port)
      return survived
    },
    stop: () =>
      stopAll(
        stop,
        () => address.close(),
        () => link?.close(),
      ),
  }
}

const failure = 'primary killed, replica promoted'

export const mariadbScenarios: readonly Scenario[] = [
  { name: 'mariadb-semisync', store: 'MariaDB, semi-synchronous replica', failure, start: () => pair(true) },
  { name: 'mariadb-async', store: 'MariaDB, asynchronous replica', failure, start: () => pair(false) },
  {
    name: 'mariadb-async-lag',
    store: 'MariaDB, asynchronous replica 200 ms behind',
    failure,
    start: () => pair(false, 200),
  },
]

import { join } from 'node:path'
import { findOrInstall, findProgram } from './find-program.ts'
import { onFreePort } from './free-port.ts'
import { createDatabase, mysqlOptions, mysqlUrl, mysqlVersion } from './mysql-client.ts'
import { runProgram } from './run-program.ts'
import { ServerProcess } from './server-process.ts'
import { serverUser } from './system-user.ts'
import type { ServerKind, StartedServer } from './test-server.ts'

/** MariaDB. */
export const mariadb: ServerKind = {
  variable: 'TICKLOCK_TEST_MARIADB_URL',
  version: mysqlVersion,
  async start({ durable = false }) {
    const program = await findOrInstall('mariadb-server', 'mariadbd')
    return await onFreePort((port) => startMariadb(program, port, durable))
  },
}

async function startMariadb(program: string, port: number, durable: boolean): Promise<StartedServer> {
  const flush = `--innodb-flush-log-at-trx-commit=${durable ? 1 : 0}`
  const server = await launchMariadb('mariadb', program, port, flush)
  return { url: mysqlUrl(port), processes: [server] }
}

/** One MariaDB with these options. */
export async function launchMariadb(
  name: string,
  program: string,
  port: number,
  ...options: readonly string[]
): Promise<ServerProcess> {
  const user = serverUser('mysql')
  return await ServerProcess.launch({
    name,
    port,
    program,
    user,
    prepare: async (folder) => {
      const install = findProgram('mariadb-install-db', 'mysql_install_db')
      if (install === undefined) throw new Error('mariadbd is here, but mariadb-install-db is not')
      const common = ['--no-defaults', `--datadir=${join(folder, 'data')}`, temporary(folder)]
      common.push('--auth-root-authentication-method=normal')
      await runProgram(install, [...common, '--skip-test-db'], { ...user, cwd: folder })
    },
    args: (folder) => [...mysqlOptions(folder, port), temporary(folder), ...options],
    probe: () => createDatabase(port),
  })
}

/** Each server that starts deletes what it takes for leftovers in its temporary folder, so none may share it with another. */
const temporary = (folder: string): string => `--tmpdir=${folder}`

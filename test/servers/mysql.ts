import { findProgram } from './find-program.ts'
import { onFreePort } from './free-port.ts'
import { createDatabase, mysqlOptions, mysqlUrl, mysqlVersion } from './mysql-client.ts'
import { runProgram } from './run-program.ts'
import { type ServerCommand, ServerProcess } from './server-process.ts'
import { Sid } from './sid.ts'
import { serverUser } from './system-user.ts'
import type { ServerKind, StartedServer } from './test-server.ts'

/** MySQL itself, not MariaDB: the one on this machine, else the one of Debian's sid, since no Debian release has it. */
export const mysql: ServerKind = {
  variable: 'TICKLOCK_TEST_MYSQL_URL',
  version: mysqlVersion,
  async start({ durable = false }) {
    const program = await findMysqld()
    if (program !== undefined) return await launch((port) => onThisMachine(program, port, durable))
    const sid = await Sid.open('MySQL')
    return await launch((port) => inSid(sid, port, durable))
  },
}

/** MariaDB installs a mysqld too. */
async function findMysqld(): Promise<string | undefined> {
  const program = findProgram('mysqld')
  if (program === undefined) return undefined
  const version = await runProgram(program, ['--no-defaults', '--version'])
  return version.includes('MariaDB') ? undefined : program
}

async function launch(command: (port: number) => ServerCommand): Promise<StartedServer> {
  const server = await onFreePort((port) => ServerProcess.launch(command(port)))
  return { url: mysqlUrl(server.port), processes: [server] }
}

function onThisMachine(program: string, port: number, durable: boolean): ServerCommand {
  const user = serverUser('mysql')
  return {
    name: 'mysql',
    port,
    stopSignal: 'SIGKILL', // Its orderly end takes seconds, and its data goes anyway.
    program,
    user,
    prepare: async (folder) => {
      await runProgram(program, initialize(folder, port), { ...user, cwd: folder })
    },
    args: (folder) => options(folder, port, durable),
    probe: () => createDatabase(port),
  }
}

function inSid(sid: Sid, port: number, durable: boolean): ServerCommand {
  const program = '/usr/sbin/mysqld'
  return sid.command('mysql', {
    name: 'mysql',
    port,
    stopSignal: 'SIGKILL', // Its orderly end takes seconds, and its data goes anyway.
    prepare: (folder) => [program, ...initialize(folder, port)],
    run: (folder) => [program, ...options(folder, port, durable)],
    probe: () => createDatabase(port),
  })
}

/** Nothing is written to last unless it has to, which saves most of the time of its start. */
function options(folder: string, port: number, durable: boolean): string[] {
  const careless = ['--innodb-flush-log-at-trx-commit=0', '--innodb-doublewrite=OFF', '--innodb-flush-method=nosync']
  const fixed = ['--skip-log-bin', '--mysqlx=OFF', '--secure-file-priv=NULL']
  return [...mysqlOptions(folder, port), ...(durable ? [] : careless), ...fixed]
}

function initialize(folder: string, port: number): string[] {
  return [...options(folder, port, false), '--initialize-insecure']
}

import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { installPackages } from './debian.ts'
import { findProgram } from './find-program.ts'
import { onFreePort } from './free-port.ts'
import { ServerProcess } from './server-process.ts'
import type { ServerKind } from './test-server.ts'

/** With the libraries that it needs in its manifest. */
const JAR = '/usr/share/java/zookeeper.jar'
/** What Debian's `zookeeper` brings, without its scripts and the graphical parts of Java. */
const PACKAGES = ['libzookeeper-java', 'default-jre-headless'] as const

/** One ZooKeeper by itself. What it has acknowledged outlives a kill. */
export const zookeeper: ServerKind = {
  variable: 'TICKLOCK_TEST_ZOOKEEPER_URL',
  version: zookeeperVersion,
  async start() {
    const server = await onFreePort((port) => launchZooKeeper(port))
    return { url: `zookeeper://127.0.0.1:${server.port}`, processes: [server] }
  },
}

/** What the server of the URL answers to a command of four letters. */
export async function fourLetters(url: string, command: string): Promise<string> {
  const [, host = '', port] = /^zookeeper:\/\/([^:,]+):(\d+)/.exec(url) ?? []
  const socket = connect(Number(port), host)
  socket.setTimeout(5_000, () => socket.destroy(new Error('ZooKeeper does not answer')))
  socket.write(command)
  return await text(socket)
}

/** By the one command that every ZooKeeper answers. */
async function zookeeperVersion(url: string): Promise<string> {
  const [, version] = /version: ([\d.]+)/.exec(await fourLetters(url, 'srvr')) ?? []
  if (version === undefined) throw new Error('ZooKeeper serves no requests yet')
  return version
}

async function findJava(): Promise<string> {
  if (!existsSync(JAR) || findProgram('java') === undefined) await installPackages('ZooKeeper', ...PACKAGES)
  const java = findProgram('java')
  if (java === undefined || !existsSync(JAR)) throw new Error(`the packages ${PACKAGES.join(' ')} brought no ZooKeeper`)
  return java
}

const config = (folder: string, port: number): string => `
dataDir=${folder}/data
clientPortAddress=127.0.0.1
clientPort=${port}
tickTime=1000
maxClientCnxns=0
admin.enableServer=false
4lw.commands.whitelist=srvr,dump
`

export async function launchZooKeeper(port: number): Promise<ServerProcess> {
  const jvm = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto', '-Xmx256m']
  // A kill of the process alone needs no fsync; and on a busy machine each handover of a request between threads takes
  // long.
  const fewer = ['forceSync=no', 'nio.numWorkerThreads=0', 'nio.numSelectorThreads=1']
  const options = [...jvm, ...fewer.map((property) => `-Dzookeeper.${property}`)]
  return await ServerProcess.launch({
    name: 'zookeeper',
    port,
    program: await findJava(),
    prepare: (folder) => writeFile(join(folder, 'zoo.cfg'), config(folder, port)),
    args: (folder) => [
      ...options,
      ...['-cp', JAR, 'org.apache.zookeeper.server.ZooKeeperServerMain', join(folder, 'zoo.cfg')],
    ],
    probe: () => zookeeperVersion(`zookeeper://127.0.0.1:${port}`),
  })
}

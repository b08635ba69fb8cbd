import { chownSync, existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, relative } from 'node:path'
import { assertDebianRoot, exclusively } from './debian.ts'
import { findOrInstall } from './find-program.ts'
import { runProgram } from './run-program.ts'
import type { ServerCommand } from './server-process.ts'
import { serverUser } from './system-user.ts'

/** Servers that no Debian release has, but its `sid` does. A new list needs a new REVISION. */
const PACKAGES = ['postgresql-18', 'postgresql-18-documentdb', 'mysql-server-core']
const REVISION = 1

/**
 * Makes the folder ($1) once per machine, under a name of its own until it is whole. What a killed run has left is
 * removed, but never across a mount: debootstrap mounts /proc inside while it works.
 */
const MAKE = `
root=$1; making=$1.making
[ ! -e "$root" ] || exit 0
rm -rf --one-file-system "$making"
debootstrap --variant=minbase --include="$2" sid "$making"
for unneeded in var/cache/apt/archives var/lib/apt/lists usr/share/doc usr/share/man usr/share/locale; do
  rm -rf --one-file-system "$making/$unneeded"
done
mv "$making" "$root"
`

/** A Debian sid in a folder, with the servers that it has for us. */
export class Sid {
  readonly #root: string

  private constructor(root: string) {
    this.#root = root
  }

  /** The one of this machine: about 600 MB in the user's cache folder, made in a minute or two if it isn't there. */
  static async open(wanted: string): Promise<Sid> {
    assertDebianRoot(wanted)
    const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ticklock')
    const root = join(cache, `sid-${process.arch}-${REVISION}`)
    if (!existsSync(root)) {
      await findOrInstall('debootstrap', 'debootstrap')
      console.error(`making a Debian sid in ${root} for the tests, once: a minute or more`)
      mkdirSync(cache, { recursive: true })
      await exclusively('sh', '-euc', MAKE, 'sh', root, PACKAGES.join())
    }
    return new Sid(root)
  }

  /**
   * A server inside, under its own user there or nobody. `inside` turns a folder's path into the one that the server
   * knows it by.
   */
  command(user: string, command: SidCommand): ServerCommand {
    const { uid = 0, gid = 0 } = serverUser(user, join(this.#root, 'etc/passwd'))
    const inside = (folder: string): string => `/${relative(this.#root, folder)}`
    const wrap = ([program, ...args]: readonly string[]): string[] => [
      `--userspec=${uid}:${gid}`,
      '--groups=',
      this.#root,
      program ?? '',
      ...args,
    ]
    return {
      name: command.name,
      port: command.port,
      stopSignal: command.stopSignal ?? 'SIGTERM',
      program: 'chroot',
      parent: join(this.#root, 'tmp'),
      prepare: async (folder) => {
        chownSync(folder, uid, gid)
        await runProgram('chroot', wrap(command.prepare(inside(folder))))
      },
      args: (folder) => wrap(command.run(inside(folder))),
      probe: command.probe,
    }
  }
}

/** A server of sid. Both command lines begin with the program. */
export interface SidCommand extends Pick<ServerCommand, 'name' | 'port' | 'stopSignal' | 'probe'> {
  /** Makes the data in this folder. */
  prepare(folder: string): readonly string[]
  /** Serves it. */
  run(folder: string): readonly string[]
}

/*
 * SQLite keeps processes apart by locks on its file. Network file systems have them wrong, late, or for one machine only
 * (https://www.sqlite.org/howtocorrupt.html), and what is shared by machines has several clocks. So such a path is refused.
 */
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StoreError } from '../../src/errors.ts'

type Look = (path: string) => Promise<{ readonly type: number }>

/** `f_type` of statfs(2) on Linux: linux/magic.h, and the file systems' own sources where that has none. */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x01021997, '9p'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x19830326, 'BeeGFS'],
  [0x47504653, 'GPFS'],
  [0xaad7aaea, 'PanFS'],
  [0xbeefdead, 'StorNext'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
  [0xbacbacbc, 'VMware shared folder'],
  [0x786f4256, 'VirtualBox shared folder'],
  // GlusterFS, sshfs, S3 and the like have no number of their own. Local ones have the same; their users can pass an open database.
  [0x65735546, 'FUSE'],
])

/**
 * The network file system that has this number, or `undefined` for a local one. Numbers mean this on Linux alone: elsewhere
 * none is known.
 */
export function networkFileSystem(type: number, platform: NodeJS.Platform = process.platform): string | undefined {
  // Some platforms give the number with its sign.
  return platform === 'linux' ? NETWORK_FILE_SYSTEMS.get(type >>> 0) : undefined
}

/**
 * Looks where a file is, or will be, by statfs(2).
 *
 * @throws {StoreError} when that is a network file system, or its folder is missing.
 */
export async function refuseNetworkFileSystem(path: string, look: Look = statfs): Promise<void> {
  const { type } = await look(path).catch(() =>
    look(dirname(path)).catch((cause: unknown) => {
      throw new StoreError(`the folder of the SQLite file ${path} can't be reached: make it first`, { cause })
    }),
  )
  const found = networkFileSystem(type)
  if (found) throw new StoreError(refusal(path, found))
}

const refusal = (path: string, found: string): string =>
  `${path} is on a network or shared file system (${found}), where SQLite's locks can't be relied on: put the file on a local disk, or take a database server (ticklock/postgres, /mysql, /redis, /mongodb) when several machines share the jobs` +
  (found === 'FUSE' ? '; if you know this one to be local, open the database yourself and pass it to sqlite()' : '')

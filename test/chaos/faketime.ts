import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { installPackages } from '../servers/debian.ts'

const LIBRARIES = '/usr/lib'
const NAME = 'faketime/libfaketimeMT.so.1'

/** A wall clock that is wrong. */
export interface WrongClock {
  /** In s; negative: behind. */
  readonly ahead: number
  /** How fast it goes; 1 is right. */
  readonly speed: number
}

/** The path of libfaketime, whose Debian package is installed first if need be. Throws with a reason for people when there is none. */
export async function findFaketime(): Promise<string> {
  const found = find()
  if (found !== undefined) return found
  await installPackages('libfaketime', 'libfaketime')
  const installed = find()
  if (installed === undefined) throw new Error(`the package libfaketime brought no ${NAME}`)
  return installed
}

/** In the folder of this machine's architecture. */
function find(): string | undefined {
  const folders = existsSync(LIBRARIES) ? readdirSync(LIBRARIES) : []
  return folders.map((folder) => join(LIBRARIES, folder, NAME)).find((path) => existsSync(path))
}

/** The environment in which a process has that wall clock, and the machine's own monotonic one. */
export function environmentOf(library: string, { ahead, speed }: WrongClock): Record<string, string> {
  const shift = `${ahead < 0 ? '-' : '+'}${Math.abs(ahead).toFixed(3)}`
  return {
    LD_PRELOAD: library,
    FAKETIME: speed === 1 ? shift : `${shift} x${speed.toFixed(5)}`,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
}

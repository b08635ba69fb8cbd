import { chmodSync, chownSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SystemUser } from './system-user.ts'

/** A temporary folder for one server process, owned by the user that the server runs as. */
export function serverFolder(name: string, user: SystemUser = {}, parent: string = tmpdir()): string {
  const folder = mkdtempSync(join(parent, `ticklock-${name}-`))
  chmodSync(folder, 0o700)
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid)
  return folder
}

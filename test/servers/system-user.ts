import { readFileSync } from 'node:fs'

/** Whom to run a program as. Empty: as ourselves. */
export interface SystemUser {
  readonly uid?: number
  readonly gid?: number
}

/** True when this process may become another user, install packages and change its root. */
export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** Database servers refuse to run as root: then the server's own user, or nobody. Otherwise ourselves. */
export function serverUser(name: string, passwd = '/etc/passwd'): SystemUser {
  if (!isRoot()) return {}
  const users = readFileSync(passwd, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const found = users.find(([user]) => user === name) ?? users.find(([user]) => user === 'nobody')
  if (!found) throw new Error(`there is neither a user ${name} nor nobody to run the server as`)
  return { uid: Number(found[2]), gid: Number(found[3]) }
}

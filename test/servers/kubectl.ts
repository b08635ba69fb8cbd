import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { assertDebianRoot, exclusively } from './debian.ts'
import { findProgram } from './find-program.ts'

/**
 * Unpacks sid's kubectl into the folder ($1), under a name of its own until it is whole. Nothing of sid comes into the system: its lists of packages and the
 * package itself stay in that folder.
 */
const MAKE = `
root=$1; making=$1.making
[ ! -e "$root" ] || exit 0
rm -rf --one-file-system "$making"
mkdir -p "$making/lists/partial" "$making/cache/archives/partial"
echo 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main' > "$making/sid.list"
apt() {
  apt-get -q -o Dir::Etc::sourcelist="$making/sid.list" -o Dir::Etc::sourceparts=- \\
    -o Dir::State::lists="$making/lists" -o Dir::Cache="$making/cache" "$@"
}
cd "$making"
apt update
apt download kubectl/sid
dpkg-deb -x kubectl_*.deb .
rm -rf lists cache sid.list kubectl_*.deb
mv "$making" "$root"
`

/** The path of kubectl: the one on this machine, or sid's on Debian, which is unpacked once into the user's cache folder. */
export async function findKubectl(): Promise<string> {
  const found = findProgram('kubectl')
  if (found !== undefined) return found
  assertDebianRoot('kubectl')
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ticklock')
  const root = join(cache, `kubectl-${process.arch}`)
  if (!existsSync(root)) {
    mkdirSync(cache, { recursive: true })
    await exclusively('sh', '-euc', MAKE, 'sh', root)
  }
  return join(root, 'usr/bin/kubectl')
}

import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { exclusively } from './debian.ts'

/**
 * Downloads a package ($2) of Debian's sid, with lists of its own, and unpacks it into a folder ($1) once per machine,
 * under another name until it is whole.
 */
const UNPACK = `
root=$1; making=$1.making
[ ! -e "$root" ] || exit 0
rm -rf --one-file-system "$making"
mkdir -p "$making/apt/lists/partial" "$making/apt/cache/archives/partial"
cd "$making/apt"
touch status
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main" > sources.list
fetch="apt-get -qq -o Acquire::Retries=3 -o APT::Sandbox::User=
  -o Dir::Etc::sourcelist=$making/apt/sources.list -o Dir::Etc::sourceparts=- -o Dir::Etc::preferencesparts=-
  -o Dir::State=$making/apt -o Dir::State::status=$making/apt/status -o Dir::Cache=$making/apt/cache"
$fetch update
$fetch download "$2"
dpkg-deb -x ./*.deb "$making"
rm -rf --one-file-system "$making/apt"
mv "$making" "$root"
`

/**
 * The folder with what is in a package of Debian's sid, for a program that runs on older releases too. Nothing is
 * installed.
 *
 * @param version of the package that the tests need at least; a change of it makes another folder
 */
export async function unpackedFromSid(debianPackage: string, version: string): Promise<string> {
  if (!existsSync('/etc/debian_version')) throw new Error(`no ${debianPackage} ${version} here, and this is not Debian`)
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ticklock')
  const root = join(cache, `sid-${debianPackage}-${process.arch}-${version}`)
  if (existsSync(root)) return root
  console.error(`unpacking ${debianPackage} of Debian's sid in ${root} for the tests, once`)
  mkdirSync(cache, { recursive: true })
  await exclusively('sh', '-euc', UNPACK, 'sh', root, debianPackage)
  return root
}

import { existsSync } from 'node:fs'
import { runProgram } from './run-program.ts'
import { isRoot } from './system-user.ts'

/** Held while one test run changes the machine, so that another waits. The kernel lets go of it if the run dies. */
const LOCK_FILE = '/var/lock/ticklock-tests.lock'

/**
 * Installs a package and starts nothing: Debian's installation scripts ask /usr/sbin/policy-rc.d whether they may start
 * a service. If the machine has one it is left alone, even though it may say yes: that is the machine's own policy.
 * A file with our mark that is already there was left behind by a run that was killed.
 */
const INSTALL = `
policy=/usr/sbin/policy-rc.d
mark='# added by the tests of ticklock for the time of an installation'
if [ ! -e $policy ] || grep -qF "$mark" $policy; then
  trap 'rm -f $policy' EXIT
  printf '#!/bin/sh\\n%s\\nexit 101\\n' "$mark" > $policy
  chmod 755 $policy
fi
export DEBIAN_FRONTEND=noninteractive
fetch="apt-get -qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3"
[ -n "\${1:-}" ] && $fetch update || true
shift
$fetch install -y --no-install-recommends "$@" < /dev/null
`

let updated = false

/** Installs packages from the machine's own Debian. `wanted` is what for, as the error says it. */
export async function installPackages(wanted: string, ...packages: readonly string[]): Promise<void> {
  assertDebianRoot(wanted)
  const update = updated ? '' : 'update'
  updated = true
  console.error(`installing ${packages.join(' ')} for the tests`)
  await exclusively('sh', '-euc', INSTALL, 'sh', update, ...packages)
}

/** Runs a program while no other test run changes this machine. */
export async function exclusively(...command: readonly string[]): Promise<void> {
  await runProgram('flock', [LOCK_FILE, ...command])
}

/** Throws a reason for people where nothing can be installed. */
export function assertDebianRoot(wanted: string): void {
  if (!existsSync('/etc/debian_version')) throw new Error(`no ${wanted} here, and this is not Debian`)
  if (!isRoot()) throw new Error(`no ${wanted} here, and only root may install it`)
}

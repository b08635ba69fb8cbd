import { strict as assert } from 'node:assert'
import { join } from 'node:path'
import { type App, newApp } from './app.ts'
import type { Library } from './libraries.ts'
import { runTwo, type Witnessed } from './two-processes.ts'

/** One version of a library. */
export interface Candidate {
  readonly library: Library
  readonly version: string
}

/** An app with the tarball and all of these, each under a name of its own. */
export const appWithAll = (candidates: readonly Candidate[]): Promise<App> =>
  newApp([
    'pg@8',
    'croner@9',
    ...candidates.map(({ library, version }) => `${aliasOf(library, version)}@npm:${library.name}@${version}`),
  ])

export const aliasOf = ({ name }: Library, version: string): string =>
  `${name.replace(/\W+/g, '-').replace(/^-/, '')}-${version}`

/**
 * Runs the adapter with one version of a library, in an app that has all or, where the adapter imports the library by its name, in one of its own. Rejects when
 * something is not as it should be.
 */
export async function checkVersion(
  { library, version }: Candidate,
  all: App | undefined,
  stores: NodeJS.ProcessEnv,
): Promise<void> {
  const { name, beside } = library
  if (!beside) {
    assert.ok(all, 'there is an app with all libraries')
    return checkIn(all, { library, version }, { ...stores, LIBRARY: name, PACKAGE: aliasOf(library, version) })
  }
  const own = await newApp([`${name}@${version}`, ...beside(version)])
  try {
    await checkIn(own, { library, version }, { ...stores, LIBRARY: name, PACKAGE: name })
  } finally {
    own.remove()
  }
}

async function checkIn(app: App, { library, version }: Candidate, env: NodeJS.ProcessEnv): Promise<void> {
  const script = join(app.folder, library.scenario)
  if (!library.needsPattern?.includes(version)) return expectOnce(await runTwo(script, { env }))
  // Without the pattern it must not work silently: no run, and a warning that says what to do.
  const refused = await runTwo(script, { env, untilError: REFUSED })
  assert.match(refused.errors, REFUSED)
  assert.deepEqual(refused.ticks, [])
  expectOnce(await runTwo(script, { env: { ...env, TICK: 'option' } }))
}

const REFUSED = /TICKLOCK_NO_TICK.*give it cron/

/** Each tick was run by one of the two. */
function expectOnce({ ticks, codes, errors }: Witnessed): void {
  assert.ok(
    ticks.length >= 4,
    `only ${ticks.length} ticks were run; the processes ended with ${codes.join()}: ${errors}`,
  )
  const twice = ticks.filter((tick, index) => ticks.indexOf(tick) !== index)
  assert.deepEqual(twice, [], 'no tick is run twice')
  assert.doesNotMatch(ticks.join(), /undefined/)
  const ended = codes.every((code) => code === 0 || code === 'SIGTERM')
  assert.ok(ended, `the processes ended with ${codes.join()}: ${errors}`)
}

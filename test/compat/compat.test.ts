/* A short part of `npm run test:compat`: the wrappers whose libraries don't hand their ticks over alike, each in two real processes of a fresh app. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type App, root } from './app.ts'
import { appWithAll, type Candidate, checkVersion } from './check-version.ts'
import { libraries } from './libraries.ts'

const { satisfies } = createRequire(import.meta.url)('semver') as { satisfies(version: string, range: string): boolean }
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly peerDependencies: Readonly<Record<string, string>>
}

const VERSIONS = [
  'croner 5.7.0',
  'croner 8.1.2',
  'croner 9.1.0',
  'node-cron 3.0.3',
  'node-cron 4.0.0',
  'cron 2.4.4',
  'node-schedule 1.3.3',
  'bree 9.2.4',
  'toad-scheduler 4.1.0',
]
const candidates: readonly Candidate[] = libraries
  .flatMap((library) => library.versions.map((version) => ({ library, version })))
  .filter(({ library, version }) => VERSIONS.includes(`${library.name} ${version}`))
const postgres = inject('servers').postgres

describe.skipIf(!('url' in postgres))(
  'two processes of a fresh app run each tick once, or say what to do, with',
  () => {
    let app: App
    beforeAll(async () => {
      app = await appWithAll(candidates)
    }, 300_000)
    afterAll(() => app?.remove())

    it.for(candidates)('$library.name $version', { concurrent: true }, async (candidate) => {
      await checkVersion(candidate, app, { POSTGRES_URL: 'url' in postgres ? postgres.url : undefined })
    })

    it.skipIf(process.getBuiltinModule('node:sqlite'))('the command says what to install for SQLite', async () => {
      const command = join('node_modules', 'ticklock', 'dist', 'src', 'cli', 'bin.js')
      const sentence =
        /has no SQLite of its own.*run "npm install @photostructure\/sqlite", or use Node\.js 22\.13 or later/
      expect(await app.run(process.execPath, command, 'init')).toMatch(sentence)
      await expect(app.run(process.execPath, command, 'run')).rejects.toThrow(sentence)
    })
  },
)

it('every version that is run lies in the peer range that npm checks', () => {
  expect(candidates).toHaveLength(VERSIONS.length)
  for (const { name, versions } of libraries) {
    const range = manifest.peerDependencies[name]
    if (range === undefined) continue
    for (const version of versions) expect(satisfies(version, range), `${name} ${version} in ${range}`).toBe(true)
  }
})

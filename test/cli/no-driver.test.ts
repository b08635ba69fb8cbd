import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { Workplace } from './ticklock.ts'

/** Loaded before the command: neither Node.js nor node_modules has a driver for SQLite. */
const NO_DRIVER = `
import { register } from 'node:module'
process.getBuiltinModule = ((real) => (name) => (name === 'node:sqlite' ? undefined : real.call(process, name)))(process.getBuiltinModule)
const hooks = \`export async function resolve(specifier, context, next) {
  if (!['@photostructure/sqlite', 'better-sqlite3'].includes(specifier)) return next(specifier, context)
  throw Object.assign(new Error(specifier + ' is not there'), { code: 'ERR_MODULE_NOT_FOUND' })
}\`
register(\`data:text/javascript,\${encodeURIComponent(hooks)}\`)
`

it('without a driver for SQLite every command says what to install, and run stays up to say it', async () => {
  await using place = new Workplace()
  const NODE_OPTIONS = `--import ${pathToFileURL(place.write('no-driver.mjs', NO_DRIVER)).href}`
  place.config(
    'store: sqlite:./locks.sqlite\njobs:\n  - { name: hello, every: 1s, lockAtMostFor: 10s, exec: [echo, hi] }\n',
  )
  const says = expect.stringMatching(
    /has no SQLite of its own and none can be loaded: run "npm install @photostructure/,
  )

  for (const command of ['status', 'doctor', 'unlock hello']) {
    const { code, stderr, stdout } = await place.run(command.split(' '), { NODE_OPTIONS })
    expect([command, stdout + stderr]).toEqual([command, says])
    expect(code).not.toBe(0)
  }

  const node = place.start(['run'], { NODE_OPTIONS })
  const { err } = await node.line(({ msg }) => msg.startsWith('the store could not be set up'), 'the failure')
  expect(err).toMatchObject({ message: says })
  await node.running()
  node.signal('SIGTERM')
  expect((await node.ended).code).toBe(0)
})

/* A node in a process of its own, for sqlite-particular.test.ts. Arguments: what to do, and the file. */
import { register } from 'node:module'
import { createInterface } from 'node:readline'
import { openDatabase } from '../../providers/sqlite/driver.ts'
import { sqlite } from '../../providers/sqlite/index.ts'
import { StoreError } from '../../src/errors.ts'
import { acquireAll } from '../../src/testing/requests.ts'
import { ask } from './sqlite-bench.ts'

const [task, path = ''] = process.argv.slice(2)
const say = (line: string): void => console.log(line)

/** Waits for the start, then asks for every name once; tells which were granted. */
async function race(): Promise<void> {
  const provider = sqlite(path)
  say('ready')
  for await (const line of createInterface(process.stdin)) {
    for (const name of JSON.parse(line)) {
      const [result] = await acquireAll(provider, [ask(name)])
      if (result?.granted) say(name)
    }
    break
  }
  await provider.close()
  process.exit()
}

/** Takes one lock after another without end, and tells each name once it has it. */
async function write(): Promise<void> {
  const provider = sqlite(path)
  for (let turn = 0; ; turn++) {
    const name = `written-${process.pid}-${turn}`
    const [result] = await acquireAll(provider, [ask(name)])
    if (result?.granted) say(name)
  }
}

/** Stays inside a write transaction. */
async function hang(): Promise<void> {
  await sqlite(path).setup?.()
  const database = await openDatabase(path)
  database.exec('BEGIN IMMEDIATE')
  database.exec("UPDATE ticklock SET lock_until = 0, locked_by = 'nobody'")
  say('inside')
  setInterval(() => {}, 1_000)
}

/** Has no driver: neither Node.js nor node_modules has one. Tells what the first use says. */
async function lackDrivers(): Promise<void> {
  process.getBuiltinModule = () => undefined as never
  const hooks = `export async function resolve(specifier, context, next) {
    if (!['@photostructure/sqlite', 'better-sqlite3'].includes(specifier)) return next(specifier, context)
    throw Object.assign(new Error(specifier + ' is not there'), { code: 'ERR_MODULE_NOT_FOUND' })
  }`
  register(`data:text/javascript,${encodeURIComponent(hooks)}`)
  const error = await sqlite(path)
    .read()
    .catch((error: unknown) => error as StoreError)
  say(JSON.stringify(error instanceof StoreError ? { message: error.message, cause: String(error.cause) } : error))
}

const tasks = { race, write, hang, 'lack-drivers': lackDrivers }
export type Task = keyof typeof tasks
await tasks[task as Task]()

/* A node in a process of its own, for sqlite-particular.test.ts. Arguments: what to do, and the file. */
import { createInterface } from 'node:readline'
import { openDatabase } from '../../providers/sqlite/driver.ts'
import { sqlite } from '../../providers/sqlite/index.ts'
import { ask } from './sqlite-bench.ts'

const [task, path = ''] = process.argv.slice(2)
const say = (line: string): void => console.log(line)

/** Waits for the start, then asks for every name once; tells which were granted. */
async function race(): Promise<void> {
  const provider = sqlite(path)
  say('ready')
  for await (const line of createInterface(process.stdin)) {
    for (const name of JSON.parse(line)) {
      const [result] = await provider.acquire([ask(name)])
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
    const [result] = await provider.acquire([ask(name)])
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

await { race, write, hang }[task as 'race' | 'write' | 'hang']()

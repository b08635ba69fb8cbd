// One process of a coordinator: node.ts <rival> <url> <label> <witness file> <jobs> <ms that a run takes> <true time minus monotonic time> <idle>
import { appendFileSync, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { rivals } from './rivals/index.ts'

const [name, url = '', label = '', witness = '', jobs = '', takes = '', ahead = '', idle = ''] = process.argv.slice(2)
const file = openSync(witness, 'a')
// The wall clock may be faked here; the monotonic one is the machine's own, and the same in all processes.
const trueTime = (): number => Number(process.hrtime.bigint()) / 1e6 + Number(ahead)

const rival = rivals.find((candidate) => candidate.name === name)
if (!rival) throw new Error(`there is no rival ${name}`)
// What a rival lets escape while its store is down is no reason for its process to end: a user would restart it.
process.on('uncaughtException', () => {})
process.on('unhandledRejection', () => {})

const started = rival.start({
  url,
  label,
  idle: idle === 'true',
  jobs: Array.from({ length: Number(jobs) }, (_, index) => `job-${index}`),
  async run(job, tick) {
    const at = trueTime()
    const every = rival.every * 1_000
    // Where the tick isn't told, it is the last one, or the next one if that begins at once: a run may be late by a little less than a whole period.
    appendFileSync(
      file,
      `${JSON.stringify({ job, tick: tick ?? Math.floor(at / every + 0.1) * every, at, node: label })}\n`,
    )
    if (Number(takes) > 0) await sleep(Number(takes))
  },
})

// A start that fails is told by its end, and not swallowed with what escapes later.
const stop = await started.catch((error) => {
  console.error(error)
  process.exit(1)
})

let before = process.cpuUsage()
process.on('message', async (message) => {
  if (message === 'measure') before = process.cpuUsage()
  if (message === 'report') {
    const { user, system } = process.cpuUsage(before)
    process.send?.({ cpu: (user + system) / 1_000 })
  }
  if (message === 'stop') {
    await Promise.race([stop(), sleep(2_000)])
    process.exit(0)
  }
})
process.send?.('ready')

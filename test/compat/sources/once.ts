// Two nodes and one store: the tick runs once. Compiled, bundled and run by each tool.
import { currentLock, isNotObtained, Locker, Scheduler } from 'ticklock'
import { locked } from 'ticklock/locked'
import { memory } from 'ticklock/memory'

async function main(): Promise<void> {
  const provider = memory()
  const locker = new Locker({ provider })
  const runs: (number | undefined)[] = []
  const tick = () => new Date('2021-03-04T02:00:00Z')
  const run = locked({ locker, name: 'a', lockAtMostFor: '1m', tick }, async () => {
    await Promise.resolve()
    runs.push(currentLock()?.tick?.getTime())
  })
  await Promise.all([run(), run()])
  const lock = await locker.obtain('b', '1m')
  const refused = await locker.obtain('b', '1m').catch(isNotObtained)
  await lock.release()
  const scheduler = new Scheduler({ provider })
  const scheduled = new Promise((resolve) => scheduler.job({ name: 'c', every: '50ms', lockAtMostFor: '1m' }, resolve))
  await scheduler.start()
  await scheduled
  await scheduler.stop()
  if (runs.length === 1 && runs[0] === tick().getTime() && refused === true) console.log('ran once')
}

void main()

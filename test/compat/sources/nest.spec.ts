import 'reflect-metadata'
import { Injectable } from '@nestjs/common'
import { Cron, ScheduleModule } from '@nestjs/schedule'
import { Test } from '@nestjs/testing'
// biome-ignore lint/style/useImportType: Nest reads the class at run time
import { ErrNotObtained, Locker, Scheduler } from 'ticklock'
import { memory } from 'ticklock/memory'
import { Job, SchedulerLock, TicklockModule } from 'ticklock/nestjs'
import { postgres } from 'ticklock/postgres'

@Injectable()
class Reports {
  constructor(readonly locker: Locker) {}

  @Cron('0 2 * * *')
  @SchedulerLock({ name: 'report', lockAtMostFor: '10m' })
  async report(): Promise<void> {}

  @Job({ name: 'cleanup', every: '1h', lockAtMostFor: '1m' })
  cleanup(): void {}
}

describe('an app', () => {
  it('has a scheduler with its jobs, and a locker', async () => {
    const imports = [ScheduleModule.forRoot(), TicklockModule.forRoot({ provider: memory() })]
    const module = await Test.createTestingModule({ imports, providers: [Reports] }).compile()
    await module.init()
    expect(module.get(Scheduler).jobs).toEqual(['cleanup'])
    const { locker } = module.get(Reports)
    await locker.obtain('a', '1m')
    await expect(locker.obtain('a', '1m')).rejects.toBeInstanceOf(ErrNotObtained)
    await module.close()
  })

  it('is told by which command to install a driver', async () => {
    const provider = postgres('postgres://localhost/app')
    await expect(provider.read(['a'])).rejects.toThrow('npm install pg')
  })
})

// npm install @nestjs/common @nestjs/core @nestjs/schedule reflect-metadata rxjs
// Nest's decorators are the legacy ones: npx tsx --tsconfig examples/adapters/nestjs/tsconfig.json examples/adapters/nestjs/nestjs.ts
// Start it in two terminals at once: they share the file, and each tick runs in one of them.
import 'reflect-metadata'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Injectable, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { Cron, ScheduleModule } from '@nestjs/schedule'
import { currentLock, type JobContext } from 'ticklock'
import { Job, SchedulerLock, TicklockModule } from 'ticklock/nestjs'
import { sqlite } from 'ticklock/sqlite'

@Injectable()
class Reports {
  @Cron('* * * * * *')
  @SchedulerLock({ name: 'example:nest-cron', lockAtMostFor: '10s' })
  async byNest(): Promise<void> {
    console.log(`tick by nest ${currentLock()?.tick?.toISOString()}`)
  }

  @Job({ name: 'example:nest-job', every: '1s', lockAtMostFor: '10s' })
  async byTicklock({ scheduledAt }: JobContext): Promise<void> {
    console.log(`tick by ticklock ${scheduledAt.toISOString()}`)
  }
}

@Module({
  imports: [
    ScheduleModule.forRoot(),
    TicklockModule.forRoot({
      provider: sqlite(process.env.TICKLOCK_FILE ?? join(tmpdir(), 'ticklock-adapters.sqlite')),
      graceFor: '10s',
    }),
  ],
  providers: [Reports],
})
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] })
app.enableShutdownHooks() // SIGTERM closes the app, which drains
console.log('ready')

// Two of these run side by side on one store: a Nest app as CommonJS, with @Cron under @SchedulerLock and a @Job.
require('reflect-metadata')
const { Injectable, Module } = require('@nestjs/common')
const { NestFactory } = require('@nestjs/core')
const { Cron, ScheduleModule } = require('@nestjs/schedule')
const { currentLock } = require('ticklock')
const { Job, SchedulerLock, TicklockModule } = require('ticklock/nestjs')
const { postgres } = require('ticklock/postgres')

class Reports {
  async byNest() {
    console.log(`tick by nest ${currentLock()?.tick?.toISOString()}`)
  }
  async byTicklock({ scheduledAt }) {
    console.log(`tick by ticklock ${scheduledAt.toISOString()}`)
  }
}
function decorate(method, ...decorators) {
  let descriptor = Object.getOwnPropertyDescriptor(Reports.prototype, method)
  for (const each of decorators) descriptor = each(Reports.prototype, method, descriptor) ?? descriptor
  Object.defineProperty(Reports.prototype, method, descriptor)
}
decorate('byNest', SchedulerLock({ name: 'nest', lockAtMostFor: '10s' }), Cron('* * * * * *'))
decorate('byTicklock', Job({ name: 'ticklock', every: '1s', lockAtMostFor: '10s' }))
Injectable()(Reports)

class AppModule {}
const provider = postgres({ url: process.env.POSTGRES_URL, table: 'compat_nest' })
Module({
  imports: [ScheduleModule.forRoot(), TicklockModule.forRoot({ provider, setup: true })],
  providers: [Reports],
})(AppModule)

NestFactory.createApplicationContext(AppModule, { logger: ['error'] }).then((app) => {
  console.log('ready')
  process.once('SIGTERM', () => app.close())
})

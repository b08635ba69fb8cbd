/** A library that an adapter or a provider works with, in the versions that are run: the oldest and the newest of each major, and more. */
export interface Library {
  readonly name: string
  /** Where ticklock meets it. */
  readonly entry: string
  /** The script that two processes run. */
  readonly scenario: 'wrapper.mjs' | 'client.mjs' | 'nest.cjs' | 'fastify.mjs' | 'telemetry.mjs'
  readonly versions: readonly string[]
  /** Those whose calls are refused until the options name the pattern. */
  readonly needsPattern?: readonly string[]
  /** For an adapter that imports the library by its name, so that each version needs an app of its own: what is installed beside it. */
  readonly beside?: (version: string) => readonly string[]
  readonly note?: string
}

const PG = ['pg@8']
const major = (version: string): number => Number(version.split('.')[0])

const nestBeside = (version: string): readonly string[] => {
  const nest = { 3: 9, 4: 10, 5: 11, 6: 11, 12: 12 }[major(version)] ?? 12
  return [
    `@nestjs/common@${nest}`,
    `@nestjs/core@${nest}`,
    `reflect-metadata@${nest === 9 ? '0.1' : '0.2'}`,
    'rxjs@7',
    ...PG,
  ]
}

export const libraries: readonly Library[] = [
  {
    name: 'croner',
    entry: 'ticklock/croner',
    scenario: 'wrapper.mjs',
    versions: ['5.7.0', '6.0.7', '7.0.8', '8.1.2', '9.1.0', '10.0.1', '11.0.1'],
    needsPattern: ['5.7.0'],
    note: 'the app has its own croner beside that of ticklock',
  },
  {
    name: 'cron',
    entry: 'ticklock/cron',
    scenario: 'wrapper.mjs',
    versions: ['2.0.0', '2.4.4', '3.0.0', '3.5.0', '4.0.0', '4.4.0'],
  },
  {
    name: 'node-cron',
    entry: 'ticklock/node-cron',
    scenario: 'wrapper.mjs',
    versions: ['2.0.3', '3.0.3', '4.0.0', '4.2.1', '4.6.0'],
    needsPattern: ['2.0.3', '3.0.3'],
  },
  {
    name: 'node-schedule',
    entry: 'ticklock/node-schedule',
    scenario: 'wrapper.mjs',
    versions: ['1.3.3', '2.0.0', '2.1.1'],
  },
  {
    name: 'toad-scheduler',
    entry: 'ticklock/locked',
    scenario: 'wrapper.mjs',
    versions: ['2.0.0', '3.1.0', '4.1.0'],
    needsPattern: ['2.0.0', '3.1.0', '4.1.0'],
  },
  { name: 'bree', entry: 'ticklock/bree', scenario: 'wrapper.mjs', versions: ['9.0.0', '9.2.4', '9.2.9'] },
  {
    name: '@nestjs/schedule',
    entry: 'ticklock/nestjs',
    scenario: 'nest.cjs',
    versions: ['3.0.4', '4.1.2', '5.0.1', '6.1.3', '12.0.2'],
    beside: nestBeside,
    note: 'over NestJS 9, 10, 11, 11 and 12',
  },
  {
    name: 'fastify',
    entry: 'ticklock/fastify',
    scenario: 'fastify.mjs',
    versions: ['4.23.0', '4.29.1', '5.0.0', '5.12.8'],
  },
  { name: 'pg', entry: 'ticklock/postgres', scenario: 'client.mjs', versions: ['8.7.1', '8.11.0', '8.23.1'] },
  { name: 'mysql2', entry: 'ticklock/mysql', scenario: 'client.mjs', versions: ['2.3.3', '3.0.0', '3.24.6'] },
  {
    name: 'mongodb',
    entry: 'ticklock/mongodb',
    scenario: 'client.mjs',
    versions: ['5.0.0', '5.9.2', '6.0.0', '6.22.0', '7.9.0'],
  },
  {
    name: 'ioredis',
    entry: 'ticklock/redis',
    scenario: 'client.mjs',
    versions: ['4.28.0', '5.0.0', '5.11.1', '6.0.0'],
  },
  {
    name: 'redis',
    entry: 'ticklock/clients',
    scenario: 'client.mjs',
    versions: ['4.0.0', '4.7.1', '5.0.0', '6.0.0', '6.3.1'],
  },
  {
    name: '@valkey/valkey-glide',
    entry: 'ticklock/clients',
    scenario: 'client.mjs',
    versions: ['1.3.4', '2.0.1', '2.5.2'],
  },
  { name: 'postgres', entry: 'ticklock/clients', scenario: 'client.mjs', versions: ['3.3.0', '3.4.9'] },
  {
    name: 'knex',
    entry: 'ticklock/clients',
    scenario: 'client.mjs',
    versions: ['1.0.1', '2.5.1', '3.3.0'],
  },
  {
    name: 'kysely',
    entry: 'ticklock/clients',
    scenario: 'client.mjs',
    versions: ['0.26.0', '0.27.6', '0.28.19', '0.29.9'],
  },
  {
    name: 'drizzle-orm',
    entry: 'ticklock/clients',
    scenario: 'client.mjs',
    versions: ['0.36.0', '0.40.0', '0.45.4'],
  },
  {
    name: 'typeorm',
    entry: 'ticklock/clients',
    scenario: 'client.mjs',
    versions: ['0.3.0', '0.3.31', '1.0.0', '1.1.1'],
  },
  {
    name: 'prom-client',
    entry: 'ticklock/prometheus',
    scenario: 'telemetry.mjs',
    versions: ['14.0.0', '15.1.3'],
    beside: () => PG,
  },
  {
    name: '@opentelemetry/api',
    entry: 'ticklock/opentelemetry',
    scenario: 'telemetry.mjs',
    versions: ['1.9.0', '1.9.1'],
    beside: () => PG,
  },
]

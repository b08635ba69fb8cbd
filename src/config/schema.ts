/*
 * The one definition of a config file: it validates, and the JSON Schema and the tables of docs/config.md are made from it. It says which options there
 * are and of what type; what a value must be beyond that is checked by the scheduler's own checks, see check-job.ts.
 */
import { z } from 'zod'
import type { Config } from './config.ts'

const DURATION = "a number of milliseconds, or a text such as '500ms', '10s', '5m', '1h30m' or 'PT10M'"

const duration = () => z.union([z.string(), z.number()], { error: `must be ${DURATION}` })
const text = () => z.string({ error: 'must be a text' })
const flag = () => z.boolean({ error: 'must be true or false' })
const choice = <const Values extends readonly string[]>(values: Values) =>
  z.enum(values, { error: `must be ${values.map((value) => `'${value}'`).join(' or ')}` })

const storeOptions = z.strictObject({
  url: text().describe('Where the store is. See "Stores" for the kinds of URL.'),
  table: text()
    .optional()
    .meta({ description: 'PostgreSQL, MySQL, SQLite, DynamoDB: the table.', default: 'ticklock' }),
  database: text().optional().describe("MongoDB: the database. Default: the URL's."),
  collection: text().optional().meta({ description: 'MongoDB: the collection.', default: 'ticklock' }),
  prefix: text()
    .optional()
    .describe("Redis, etcd: what every key begins with. Default: 'ticklock:' in Redis, 'ticklock/' in etcd."),
  bucket: text().optional().meta({ description: 'NATS: the bucket.', default: 'ticklock' }),
  root: text()
    .optional()
    .meta({ description: 'ZooKeeper: the znode below which the locks are.', default: '/ticklock' }),
  shedlock: z
    .union([z.boolean(), z.string()], { error: "must be true, false, or what ShedLock's keys begin with" })
    .optional()
    .meta({
      description:
        "Redis: shares the locks with ShedLock. `true` for ShedLock's environment `default`, or what its keys begin with, such as `job-lock:production:`. In place of `prefix`.",
      default: false,
    }),
  token: text()
    .optional()
    .describe('HTTP: the token of `ticklock serve`. Default: the environment variable `TICKLOCK_SERVE_TOKEN`.'),
})

const store = z.union([z.string(), storeOptions], { error: 'must be a URL, or an object with url' })

/** What jobs have as well as defaults. */
const shared = {
  lockAtMostFor: duration()
    .optional()
    .describe(
      'The length of the lease: a crashed node blocks the job on others for at most so long. From 1 ms. Required, here or in the defaults.',
    ),
  lockAtLeastFor: duration().optional().meta({
    description: 'The lock stays taken for at least so long from its acquisition. At most `lockAtMostFor`.',
    default: 0,
  }),
  keepAlive: flag()
    .optional()
    .meta({ description: 'Renew the lease at a third of its length while the job runs.', default: false }),
  onCrash: choice(['skip', 'rerun'])
    .optional()
    .meta({ description: '`rerun`: one other node takes the tick of a crashed node over.', default: 'skip' }),
  catchUp: z
    .union(
      [
        choice(['none', 'latest']),
        z.strictObject({
          window: duration().describe('How far back. From 1 ms.'),
          max: z
            .number({ error: 'must be a whole number from 1 to 1000' })
            .describe('How many ticks at most, 1 to 1,000.'),
        }),
      ],
      { error: "must be 'none', 'latest' or an object with window and max" },
    )
    .optional()
    .meta({
      description:
        'Ticks that passed and nobody ran: `latest`, or those of the last `window`, the newest `max` of them.',
      default: 'none',
    }),
  runOnStart: flag()
    .optional()
    .meta({ description: 'At start, run the latest tick that has passed unless it ran already.', default: false }),
  jitter: duration()
    .optional()
    .meta({ description: 'Each node waits a random time up to this before it requests a tick.', default: 0 }),
  graceFor: duration().optional().meta({
    description: 'How long after its time a tick may still be requested while the store fails. From 100 ms.',
    default: '30s',
  }),
  onStoreError: choice(['skip', 'run']).optional().meta({
    description: '`run`: when the store still fails after the grace, run without the lock, on every node.',
    default: 'skip',
  }),
  timezone: text()
    .optional()
    .meta({ description: 'The time zone of `cron`, such as `Europe/Berlin`.', default: 'UTC' }),
  store: text()
    .optional()
    .describe('The store of the lock, by its name in `stores`. Default: `default`, or the only one.'),
  timeout: duration().optional().describe('A run that takes longer is ended and counts as failed. Default: none.'),
  killAfter: duration()
    .optional()
    .meta({ description: '`exec`, `shell`: the time between SIGTERM and SIGKILL.', default: '5s' }),
  env: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()], { error: 'must be a text' }), {
      error: 'must be an object of texts',
    })
    .optional()
    .describe('`exec`, `shell`: variables added to the environment. The ones of defaults and job are merged.'),
  cwd: text()
    .optional()
    .describe("`exec`, `shell`: the working directory, relative to the config's folder. Default: that folder."),
}

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

const status = z.union([z.number(), z.string()])

const http = z.union(
  [
    z.string(),
    z.strictObject({
      url: text().describe('An `http://` or `https://` URL.'),
      method: choice(METHODS).optional().describe('Default: `GET`, or `POST` with a body.'),
      headers: z
        .record(z.string(), z.string({ error: 'must be a text' }), { error: 'must be an object of texts' })
        .optional()
        .describe('Headers of the request.'),
      body: z.unknown().optional().describe('A text is sent as it is, anything else as JSON.'),
      expectStatus: z
        .union([status, z.array(status)], { error: "must be statuses such as 204 or '2xx'" })
        .optional()
        .meta({ description: 'The statuses that mean success: numbers, or classes such as `2xx`.', default: '2xx' }),
    }),
  ],
  { error: 'must be a URL, or an object with url' },
)

const job = z.strictObject(
  {
    name: text().describe(
      "The job's name on every node, and the name of its lock. 1 to 255 characters, used once in the file.",
    ),
    description: text().optional().describe('What the job is for.'),
    enabled: flag()
      .optional()
      .meta({ description: '`false`: the job is checked and listed, and does not run.', default: true }),
    cron: text()
      .optional()
      .describe('A cron pattern: 5 fields, 6 with seconds, 7 with years, or a nickname such as `@daily`.'),
    every: duration()
      .optional()
      .describe('In place of `cron`: ticks at whole multiples of this since the epoch. From 10 ms.'),
    exec: z
      .array(text(), { error: 'must be a list: the program and its arguments' })
      .optional()
      .describe('Runs a program: a list of it and its arguments, without a shell.'),
    shell: text().optional().describe('Runs a script by `/bin/sh`.'),
    http: http.optional().describe('Sends a request: a URL, or an object.'),
    module: text()
      .optional()
      .describe('Calls the exported function of a file: `file`, or `file#name`. TypeScript too.'),
    metadata: text().optional().describe('A text kept in the store with the lock.'),
    expectEvery: duration()
      .optional()
      .describe(
        'How often it has to succeed, on whichever node. The page, `/api/health` and alerts name a job that has not. From 1 s.',
      ),
    ...shared,
  },
  { error: 'must be an object with name, a schedule, and one of exec, shell, http and module' },
)

/** A whole config file. */
export const configSchema = z.strictObject(
  {
    $schema: text().optional().describe('The JSON Schema of this file, for editors. Not read.'),
    store: store
      .optional()
      .describe(
        'Where the locks are kept: a URL, or an object. Default: a SQLite file `ticklock.sqlite` beside the config.',
      ),
    stores: z
      .record(z.string(), store, { error: 'must be an object of stores by name' })
      .optional()
      .describe('Several stores by name; what `store` says is the one called `default`.'),
    defaults: z
      .strictObject(shared, { error: 'must be an object of options' })
      .optional()
      .describe('What jobs have unless they say otherwise.'),
    label: text().optional().describe('How this node is called in the store, for people. Default: `host:pid`.'),
    storeTimeout: duration()
      .optional()
      .meta({ description: 'The longest wait for one answer of a store.', default: '5s' }),
    maxClockSkew: duration()
      .optional()
      .meta({ description: "A tick further ahead of the store's clock is refused.", default: '60s' }),
    spread: flag().optional().meta({
      description:
        'Share the ticks out to the nodes. `false`: every node requests every tick at once, so the fastest node runs most of them.',
      default: true,
    }),
    stopGraceFor: duration().optional().meta({
      description: 'At SIGTERM or SIGINT: how long the runs under way may go on before they are told to end.',
      default: '20s',
    }),
    jobs: z.array(job, { error: 'must be a list of jobs' }).describe('The jobs.'),
  },
  { error: 'must be an object of options, such as jobs' },
)

type Same = z.output<typeof configSchema> extends Config ? true : never
export const matchesConfig: Same = true

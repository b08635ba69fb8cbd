import type { Duration } from '../duration.ts'
import type { JobDefaults, JobOptions } from '../scheduler/job-options.ts'

/** What stands in a `ticklock.config.*` file. `${VAR}` and `${VAR:-default}` in its texts take values from the environment. */
export interface Config {
  /** The JSON Schema of this file, for editors. Not read. */
  readonly $schema?: string | undefined
  /** Where the locks are kept: a URL, or a URL with options. @default a SQLite file `ticklock.sqlite` beside the config */
  readonly store?: StoreConfig | undefined
  /** Several stores by name; a job picks one by `store`. What `store` says is the one called `default`. */
  readonly stores?: Readonly<Record<string, StoreConfig>> | undefined
  /** What jobs have unless they say otherwise. */
  readonly defaults?: DefaultsConfig | undefined
  /** How this node is called in the store and in the logs of others, for people. @default `host:pid` */
  readonly label?: string | undefined
  /** The longest wait for one answer of a store. @default '5s' */
  readonly storeTimeout?: Duration | undefined
  /** A tick further ahead of the store's clock is refused. @default '60s' */
  readonly maxClockSkew?: Duration | undefined
  /** Share the ticks out to the nodes. `false`: every node requests every tick at once, so the fastest node runs most of them. @default true */
  readonly spread?: boolean | undefined
  /** At SIGTERM or SIGINT: how long the runs under way may go on before they are told to end. @default '20s' */
  readonly stopGraceFor?: Duration | undefined
  /** The jobs. */
  readonly jobs: readonly JobConfig[]
}

/** A store: its URL, or its URL with options. */
export type StoreConfig = string | StoreOptionsConfig

export interface StoreOptionsConfig {
  /**
   * `postgres://`, `mysql://`, `mariadb://`, `mongodb://`, `mongodb+srv://`, `redis://`, `rediss://`, `redis+unix://`,
   * `redis+sentinel://`, `redis+cluster://`, `dynamodb://`, `dynamodb+http://`, `dynamodb+https://`, `etcd://`,
   * `etcds://`, `nats://`, `nats+tls://`, `zookeeper://`, `sqlite:` (relative to the config's folder), `http://` and
   * `https://` (`ticklock serve`; several with commas between them), `memory:` (this process alone, for trying out).
   */
  readonly url: string
  /** PostgreSQL, MySQL, SQLite, DynamoDB: the table. @default 'ticklock' */
  readonly table?: string | undefined
  /** MongoDB: the database. @default the one of the URL */
  readonly database?: string | undefined
  /** MongoDB: the collection. @default 'ticklock' */
  readonly collection?: string | undefined
  /** Redis, etcd: what every key begins with. @default 'ticklock:' in Redis, 'ticklock/' in etcd */
  readonly prefix?: string | undefined
  /** NATS: the bucket. @default 'ticklock' */
  readonly bucket?: string | undefined
  /** ZooKeeper: the znode below which the locks are. @default '/ticklock' */
  readonly root?: string | undefined
  /** Redis: shares the locks with ShedLock; true, or what ShedLock's keys begin with. In place of `prefix`. @default false */
  readonly shedlock?: boolean | string | undefined
  /** HTTP: the token of `ticklock serve`. @default the environment variable TICKLOCK_SERVE_TOKEN */
  readonly token?: string | undefined
}

/** How a run of a job is done on this machine, whichever way it runs. */
export interface RunConfig {
  /** The store of the job's lock, by its name in `stores`. @default 'default', or the only one */
  readonly store?: string | undefined
  /** A run that takes longer is ended and counts as failed. @default none */
  readonly timeout?: Duration | undefined
  /** `exec`, `shell`: after SIGTERM, how long the processes have to end before SIGKILL. @default '5s' */
  readonly killAfter?: Duration | undefined
  /** `exec`, `shell`: variables added to the environment. */
  readonly env?: Readonly<Record<string, string | number | boolean>> | undefined
  /** `exec`, `shell`: the working directory, relative to the config's folder. @default the config's folder */
  readonly cwd?: string | undefined
}

/** What jobs have unless they say otherwise. `env` is merged with the job's. */
export interface DefaultsConfig extends JobDefaults, RunConfig {
  /** The time zone of every `cron`. @default 'UTC' */
  readonly timezone?: string | undefined
}

/** A job: a name, a schedule (`cron` or `every`), and one of `exec`, `shell`, `http` and `module`. */
export interface JobConfig extends JobOptions, RunConfig {
  /** What the job is for. */
  readonly description?: string | undefined
  /** `false`: the job is checked and listed, and does not run. @default true */
  readonly enabled?: boolean | undefined
  /** Runs a program with arguments, without a shell. */
  readonly exec?: readonly string[] | undefined
  /** Runs a script by `/bin/sh`. */
  readonly shell?: string | undefined
  /** Sends an HTTP request: a URL, or a request. */
  readonly http?: string | HttpConfig | undefined
  /** Calls a function of a file, `file` or `file#name` (default: its default export), with what a job's function gets. TypeScript too. */
  readonly module?: string | undefined
}

export interface HttpConfig {
  readonly url: string
  /** @default 'GET', or 'POST' with a body */
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** A text as it is, anything else as JSON. */
  readonly body?: unknown
  /** The statuses that mean success: numbers, or classes such as `'2xx'`. @default '2xx' */
  readonly expectStatus?: HttpStatus | readonly HttpStatus[] | undefined
}

/** A number from 100 to 599, or a class such as `'2xx'`. */
export type HttpStatus = number | string

/** The config as it is, with its type checked in the editor: for `ticklock.config.ts`. */
export const defineConfig = (config: Config): Config => config

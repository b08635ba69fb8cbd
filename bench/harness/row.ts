import type { ServerName, TestServer } from '../../test/servers/index.ts'
import type { interleave } from './interleave.ts'
import type { Result } from './result.ts'

/** One row of the table: what is measured, in one file of `rows/`. */
export interface Row {
  /** What `--only` calls it. */
  readonly name: string
  /** What it measures, as the table says it. */
  readonly what: string
  /** Whether it needs the packages of bench/package.json. */
  readonly rivals?: boolean
  run(context: BenchContext): Promise<readonly Result[]>
}

/** What a row works with. */
export interface BenchContext {
  readonly options: BenchOptions
  /** The server, started at the first call, or `undefined` when this machine can't have it. */
  server(name: ServerName): Promise<TestServer | undefined>
  /** A server of the caller's own, who stops it; `durable` for one whose data outlives a kill. */
  fresh(name: ServerName, options?: { readonly durable?: boolean }): Promise<TestServer | undefined>
  /** Times works in turns, as carefully as the options want it. */
  readonly interleave: typeof interleave
  /** Says what is going on. Goes to standard error, so that `--json` stays JSON. */
  say(text: string): void
}

export interface BenchOptions {
  /** Rows to run: names, or beginnings of names. All when empty. */
  readonly only: readonly string[]
  readonly json: boolean
  /** Few rounds and no warm-up: for whether a row works, not for its figures. */
  readonly quick: boolean
  /** How long a cell of the coordinators' table and of the sustained rate runs, in seconds. */
  readonly seconds: number
  /** Numbers of processes in the coordinators' table and of nodes at a sustained rate. */
  readonly processes: readonly number[]
  /** How many jobs are due each second at a sustained rate. */
  readonly rate: number
  /** Which rivals, conditions and kinds of job the coordinators' table has; all when empty. */
  readonly rivals: readonly string[]
  readonly conditions: readonly string[]
  readonly jobs: readonly string[]
  /** Stores to measure on; all when empty. */
  readonly stores: readonly string[]
}

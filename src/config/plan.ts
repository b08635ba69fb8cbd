import type { JobOptions } from '../scheduler/job-options.ts'
import type { StorePlan } from './store.ts'

/** What a config file comes to: everything checked, all defaults in place, every path absolute. */
export interface Plan {
  /** The config's file and folder. */
  readonly file: string
  readonly folder: string
  readonly stores: readonly StorePlan[]
  readonly jobs: readonly JobPlan[]
  /** Valid values that are probably not meant, one line each, with file, line and column. */
  readonly warnings: readonly string[]
  readonly label: string | undefined
  readonly spread: boolean
  /** In ms. */
  readonly storeTimeout: number
  readonly maxClockSkew: number
  readonly stopGraceFor: number
}

/** One job of a plan. Two that are equal as JSON are the same job. */
export interface JobPlan {
  readonly name: string
  readonly description: string | undefined
  readonly enabled: boolean
  /** The name of its store. */
  readonly store: string
  /** What the scheduler gets. */
  readonly options: JobOptions
  readonly action: Action
  /** What runs, in one line for people: with `${NAME}` where the config takes a value from the environment. */
  readonly runs: string
  /** In ms; undefined for no limit. */
  readonly timeout: number | undefined
}

/** How a job runs. */
export type Action = ExecAction | ShellAction | HttpAction | ModuleAction

/** Where processes run. */
export interface ProcessSettings {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** From SIGTERM to SIGKILL, in ms. */
  readonly killAfter: number
}

export interface ExecAction extends ProcessSettings {
  readonly kind: 'exec'
  /** The program and its arguments. */
  readonly command: readonly string[]
}

export interface ShellAction extends ProcessSettings {
  readonly kind: 'shell'
  readonly script: string
}

export interface HttpAction {
  readonly kind: 'http'
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  readonly expectStatus: readonly StatusRange[]
}

/** Statuses that mean success: from, to, both included. */
export type StatusRange = readonly [number, number]

export interface ModuleAction {
  readonly kind: 'module'
  readonly file: string
  readonly exported: string
}

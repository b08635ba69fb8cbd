/* What a value must be beyond its type, by the scheduler's own checks, one option at a time so that each mistake is told at its place. */
import { type Duration, parseDuration } from '../duration.ts'
import { isInvalidOption } from '../errors.ts'
import { checkLabel } from '../lock/label.ts'
import { checkMetadata, checkName } from '../options.ts'
import { JOB_DURATIONS } from '../scheduler/job-options.ts'
import { readSchedule } from '../scheduler/plan/schedule.ts'
import { nearest } from './nearest.ts'

/** The least of each duration, in ms. */
export const DURATIONS: Readonly<Record<string, number>> = {
  ...JOB_DURATIONS,
  every: 10,
  expectEvery: 1_000,
  timeout: 1,
  killAfter: 0,
  storeTimeout: 1,
  maxClockSkew: 0,
  stopGraceFor: 0,
}

const CHECKS: Readonly<Record<string, (value: unknown) => unknown>> = {
  ...Object.fromEntries(
    Object.entries(DURATIONS).map(([option, min]) => [
      option,
      (value: unknown) => parseDuration(value, { option, min }),
    ]),
  ),
  name: (value) => checkName(value, ''),
  metadata: (value) => checkMetadata(value, ''),
  label: (value) => checkLabel(value, ''),
  timezone: (value) => readSchedule({ cron: '@daily', timezone: value as string }, ''),
  cron: (value) => readSchedule({ cron: value as string }, ''),
}

/** What is wrong with an option's value, without the value itself, or `undefined`. */
export function wrongWith(option: string, value: unknown, substituted: boolean): string | undefined {
  const wrong = failureOf(() => CHECKS[option]?.(value))
  if (wrong === undefined) return undefined
  // croner says what it can't read; that may quote the value.
  const [, why] = /^cron .* can't be read: (.*)$/s.exec(wrong) ?? []
  if (why !== undefined) return substituted ? "cron can't be read" : `cron can't be read: ${why.replace(/^\w+: /, '')}`
  const zone = option === 'timezone' && typeof value === 'string' && !substituted ? nearestZone(value) : undefined
  return zone === undefined ? wrong : `${wrong}; did you mean ${JSON.stringify(zone)}?`
}

/** What the call refuses, without what it was given: neither whose option it is nor its value. */
export function failureOf(call: () => unknown): string | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    if (!isInvalidOption(error)) throw error
    return withoutValue(error.message)
  }
}

export const withoutValue = (message: string): string => message.replace(/^: /, '').replace(/, but (is|are) .*$/s, '')

/** In ms, or `undefined` when it can't be read, which is told elsewhere. */
export function lengthOf(option: string, value: unknown): number | undefined {
  try {
    return parseDuration(value as Duration, { option, min: DURATIONS[option] ?? 0 })
  } catch {
    return undefined
  }
}

const nearestZone = (zone: string): string | undefined => nearest(zone, Intl.supportedValuesOf('timeZone'))

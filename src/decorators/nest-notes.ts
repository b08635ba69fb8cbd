import type { AnyMethod } from './form.ts'

/** What `@Cron` of `@nestjs/schedule` notes about a method. */
export interface CronNote {
  readonly name?: string
  readonly cronTime?: unknown
  readonly timeZone?: string
  readonly utcOffset?: number
}

/** What `@Interval` and `@Timeout` of `@nestjs/schedule` note about a method. */
export interface DelayNote {
  readonly timeout?: number
}

/** What `@nestjs/schedule` notes about a method in `reflect-metadata`, under the same keys in its versions 1 to 12. */
export interface NestNotes {
  readonly cron: CronNote | undefined
  readonly interval: DelayNote | undefined
  readonly timeout: DelayNote | undefined
}

export function nestNotes(method: AnyMethod): NestNotes {
  const { getMetadata } = Reflect as { getMetadata?(key: string, target: object): unknown }
  const note = <Note>(kind: string): Note | undefined =>
    getMetadata?.(`SCHEDULE_${kind}_OPTIONS`, method) as Note | undefined
  return { cron: note('CRON'), interval: note('INTERVAL'), timeout: note('TIMEOUT') }
}

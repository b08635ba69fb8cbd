export { type Locked, type LockedFunction, locked } from './locked.ts'
export type { LockedOptions, LockedTerms } from './options.ts'
export type { OnSkip, Skip, SkipListener } from './skip.ts'

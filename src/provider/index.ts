export { isRecordBusy, RecordBusyError } from '../errors.ts'
export type {
  AcquireRequest,
  AcquireResult,
  CallOptions,
  CompleteRequest,
  ExtendRequest,
  FenceRequest,
  FenceResult,
  Granted,
  Lease,
  LockProvider,
  LockRecord,
  PauseRequest,
  Refused,
  ReleaseRequest,
  ResetRequest,
  Settled,
  TransactionSupport,
  UnreadableRecord,
} from './contract.ts'
export {
  type AcquireDecision,
  decideAcquire,
  decideComplete,
  decideExtend,
  decideFence,
  decidePause,
  decideRelease,
  decideReset,
  nextFencingToken,
  type StoredLock,
} from './decide.ts'
export { ForeignClock } from './foreign-clock.ts'
export type {
  HistoryEntry,
  HistoryOutcome,
  HistoryQuery,
  NodeState,
  RecordedEntry,
  RecordedNode,
  RunHistory,
} from './history.ts'
export { holderOf, labelOf, MAX_LABEL, releasedHolderOf } from './holder.ts'
export { checkLock, isReadable, isUnreadable, type RawLock, readRecord, repairLock, unreadable } from './record.ts'
export {
  type Resolved,
  type Resolver,
  resolveAcquire,
  resolveExtend,
  resolveForceRelease,
  resolvePause,
  resolveRelease,
  resolveReset,
} from './resolve.ts'
export { inUniqueRounds } from './unique-rounds.ts'
export { inChunks } from './versioned/chunks.ts'
export { ClockEstimate, type ClockSample, type EstimateClock } from './versioned/clock-estimate.ts'
export { DATE_RESOLUTION, DateClock } from './versioned/date-clock.ts'
export { versionedProvider } from './versioned/provider.ts'
export type {
  TimeBounds,
  VersionedCall,
  VersionedEntry,
  VersionedName,
  VersionedStore,
  VersionedWrite,
  WriteResult,
} from './versioned/store.ts'

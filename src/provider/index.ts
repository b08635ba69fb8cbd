export {
  type Answered,
  type Answerer,
  answerAcquire,
  answerExtend,
  answerForceRelease,
  answerPause,
  answerRelease,
} from './answers.ts'
export type {
  AcquireRequest,
  AcquireResult,
  ExtendRequest,
  Granted,
  Lease,
  LockProvider,
  LockRecord,
  PauseRequest,
  Refused,
  ReleaseRequest,
} from './contract.ts'
export {
  type AcquireDecision,
  decideAcquire,
  decideExtend,
  decidePause,
  decideRelease,
  nextFencingToken,
  type StoredLock,
} from './decide.ts'
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
export { inWaves } from './waves.ts'

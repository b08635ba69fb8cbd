export type {
  HistoryEntry,
  HistoryOutcome,
  HistoryQuery,
  NodeState,
  RecordedEntry,
  RecordedNode,
  RunHistory,
} from '../provider/history.ts'
export { shortText } from './error-text.ts'
export type { HistoryOptions } from './options.ts'
export { type Recorder, recordHistory } from './recorder.ts'

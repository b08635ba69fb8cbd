import type { DemoJob } from '../../examples/demo/jobs.ts'

/** What the clusters under test run: instant jobs, one that takes a while, and one that outlives a crash. */
export const clusterJobs: readonly DemoJob[] = [
  { name: 'instant', every: 500, takes: 0, lockAtMostFor: 5_000, onCrash: 'skip' },
  { name: 'brief', every: 1_000, takes: 50, lockAtMostFor: 5_000, onCrash: 'skip' },
  { name: 'long', every: 3_000, takes: 700, lockAtMostFor: 1_500, onCrash: 'rerun' },
]

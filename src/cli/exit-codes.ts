/** What the exit code of `ticklock` says. Those from 64 on are those of BSD's sysexits.h, which few programs use for anything else. */
export const EXIT = {
  /** All is well. */
  ok: 0,
  /** What was requested failed: a job failed, `doctor` found a fault, there is no such lock. */
  failed: 1,
  /** The command line is wrong. */
  usage: 64,
  /** A store can't be reached, or refuses. */
  store: 69,
  /** A fault of ticklock itself. */
  internal: 70,
  /** The output can't be written any more: nobody reads it. */
  output: 74,
  /** The lock was not obtained: somebody else has it, or the tick was taken before. */
  notObtained: 75,
  /** The lock was lost while the command ran; the command was ended. */
  lockLost: 76,
  /** The config file is wrong, or there is none. */
  config: 78,
  /** The command took longer than its `--timeout`, as GNU timeout has it. */
  timeout: 124,
} as const

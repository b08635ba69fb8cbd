import { setDeadline, systemClock } from '../clock.ts'
import { openStore, type StorePlan } from '../config/store.ts'
import { parseDuration } from '../duration.ts'
import { isNotObtained } from '../errors.ts'
import type { Lock } from '../lock/lock.ts'
import { exponentialBackoff } from '../lock/retry.ts'
import { Locker } from '../locker/locker.ts'
import { runLocked } from '../locker/run-locked.ts'
import type { LockProvider } from '../provider/contract.ts'
import { childEnvironment } from '../runner/child-environment.ts'
import { ProcessGroup } from '../runner/process-group.ts'
import { codeOfSignal, notStarted, UNKILLABLE } from '../runner/run-command.ts'
import { lockEnvironment } from '../runner/run-environment.ts'
import { readSchedule } from '../scheduler/plan/schedule.ts'
import type { Cli } from './cli.ts'
import type { ExecOptions } from './commands/exec.ts'
import { UsageError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { failureOf } from './locks.ts'
import { SignalRelay, signalOf } from './signals.ts'
import { chooseStore } from './store-option.ts'

const USUAL_LEASE = '5m'

/** Runs a command under a lock; answers the exit code. */
export async function execUnderLock(
  cli: Cli,
  name: string,
  command: readonly string[],
  options: ExecOptions,
): Promise<number> {
  const tick = options.everyTick === undefined ? undefined : tickOf(options.everyTick, options.timezone)
  const store = await chooseStore(cli, options)
  const provider = await openStore(store)
  // A signal that comes while nothing runs yet ends the wait.
  const interrupted = new AbortController()
  let signals: SignalRelay | undefined
  try {
    await setUp(provider, store)
    signals = new SignalRelay((signal) => interrupted.abort(signal))
    const relay = signals
    const lock = await obtain(new Locker({ provider }), name, tick, options, interrupted)
    return await runLocked(lock, { keepAlive: options.keepAlive }, () =>
      runCommand(cli, command, lock, tick, options, relay),
    )
  } catch (error) {
    if (!isNotObtained(error)) throw error
    const signal = signalOf(error.cause)
    if (signal) return codeOfSignal(signal)
    if (!options.quiet) cli.tell(`ticklock: ${error.message}`)
    return options.conflictExitCode
  } finally {
    signals?.close()
    await provider.close()
  }
}

/** @throws {StoreError} */
async function setUp(provider: LockProvider, store: StorePlan): Promise<void> {
  try {
    await provider.setup?.()
  } catch (cause) {
    throw failureOf(store, cause)
  }
}

async function obtain(
  locker: Locker,
  name: string,
  tick: Date | undefined,
  options: ExecOptions,
  given: AbortController,
): Promise<Lock> {
  const { lockAtMostFor = USUAL_LEASE, lockAtLeastFor, wait, metadata } = options
  const timer =
    typeof wait === 'number'
      ? setDeadline(systemClock, systemClock.monotonic() + wait, () => given.abort(new Error('the wait is over')))
      : undefined
  try {
    return await locker.obtain(name, {
      lockAtMostFor,
      lockAtLeastFor,
      metadata,
      tick,
      onCrash: options.rerunCrashed ? 'rerun' : 'skip',
      ...(wait !== undefined && { retry: exponentialBackoff('50ms', '1s'), signal: given.signal }),
    })
  } finally {
    timer?.cancel()
  }
}

async function runCommand(
  cli: Cli,
  command: readonly string[],
  lock: Lock,
  tick: Date | undefined,
  { killAfter, timeout }: ExecOptions,
  signals: SignalRelay,
): Promise<number> {
  const firedAt = new Date()
  const facts = { name: lock.name, scheduledAt: tick ?? firedAt, firedAt, fencingToken: lock.fencingToken }
  const lockUntil = new Date(firedAt.getTime() + lock.remaining)
  const env = { ...childEnvironment(cli.environment), ...lockEnvironment({ ...facts, lockUntil }) }
  // Its own group: what is typed at the terminal reaches it by way of us alone, and once.
  const group = new ProcessGroup(command, { cwd: cli.cwd, env, killAfter, stdio: 'inherit' })
  signals.passTo((signal) => group.signal(signal))

  let instead: number | undefined
  const end = (why: string, code: number): void => {
    if (instead !== undefined) return
    instead = code
    cli.tell(`ticklock: ${why}; the command is ended`)
    group.end()
  }
  const whenLost = (): void => end((lock.lost ?? new Error('the lock was lost')).message, EXIT.lockLost)
  if (lock.signal.aborted) whenLost()
  lock.signal.addEventListener('abort', whenLost, { once: true })
  const limit = timeout === undefined ? undefined : systemClock.monotonic() + timeout
  const timer =
    limit === undefined
      ? undefined
      : setDeadline(systemClock, limit, () => end(`the command took longer than ${timeout} ms`, EXIT.timeout))
  try {
    const { code, signal, unkillable } = await group.ended
    if (unkillable) {
      cli.tell(`ticklock: process ${group.child.pid} ${UNKILLABLE}`)
      // At once: whoever releases a lock says that its work has ended.
      process.exit(instead ?? EXIT.failed)
    }
    return instead ?? (signal ? codeOfSignal(signal) : (code ?? EXIT.failed))
  } catch (error) {
    const failed = notStarted(error, command[0] ?? '', cli.cwd)
    if (!failed) throw error
    cli.tell(`ticklock: the command ${failed.message}`)
    return failed.exitCode ?? EXIT.failed
  } finally {
    timer?.cancel()
    lock.signal.removeEventListener('abort', whenLost)
  }
}

const TICKS: Readonly<Record<string, string>> = {
  minute: '* * * * *',
  hour: '0 * * * *',
  day: '0 0 * * *',
  week: '0 0 * * 1',
}

/** The newest tick that has come: of a word, a cron pattern, or an interval. */
function tickOf(every: string, timezone: string | undefined): Date {
  const of = '--every-tick'
  const pattern = TICKS[every] ?? every
  const isInterval = /^[\dP]\S*$/.test(pattern) && !pattern.includes('*')
  const schedule = isInterval
    ? readSchedule(
        { every: parseDuration(pattern, { of, option: 'it', min: 10 }), ...(timezone !== undefined && { timezone }) },
        of,
      )
    : readSchedule({ cron: pattern, ...(timezone !== undefined && { timezone }) }, of)
  const [tick] = schedule.last(1, Date.now())
  if (tick === undefined) throw new UsageError(`--every-tick: ${JSON.stringify(every)} has had no tick yet`)
  return new Date(tick)
}

import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * Starts a program of the benchmark as a process of its own. The path is that of the compiled file, seen from the module that asks (`from`): a loader that
 * compiles as it goes would be measured with the rest, and such loaders wrap every function.
 */
export const forkProgram = (from: string, path: string, args: readonly unknown[], options: ForkOptions): ChildProcess =>
  fork(fileURLToPath(new URL(path, from)), args.map(String), options)

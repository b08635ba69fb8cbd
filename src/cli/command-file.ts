import type { Command } from 'commander'
import type { Cli } from './cli.ts'

/** A command's file: it declares its arguments and options, and chooses what is done. */
export interface CommandFile {
  define(command: Command, cli: Cli, choose: (action: Action) => void): void
}

/** Answers the exit code. */
export type Action = () => Promise<number>

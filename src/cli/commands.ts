import type { CommandFile } from './command-file.ts'

export interface CommandEntry {
  readonly name: string
  readonly summary: string
  load(): Promise<CommandFile>
}

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  { name: 'init', summary: 'write a commented example of a config', load: () => import('./commands/init.ts') },
  { name: 'run', summary: 'run the jobs of the config', load: () => import('./commands/run.ts') },
  {
    name: 'serve',
    summary: 'share the locks of a store over HTTP',
    load: () => import('./commands/serve.ts'),
  },
  { name: 'validate', summary: 'check the config', load: () => import('./commands/validate.ts') },
  { name: 'list', summary: 'list the jobs with their next ticks', load: () => import('./commands/list.ts') },
  { name: 'next', summary: 'show the next ticks of a job', load: () => import('./commands/next.ts') },
  {
    name: 'status',
    summary: 'show every lock: who has it, since when, until when',
    load: () => import('./commands/status.ts'),
  },
  { name: 'unlock', summary: 'take a lock from whoever has it', load: () => import('./commands/unlock.ts') },
  {
    name: 'reset',
    summary: "repair a lock's record that can't be read or is ahead of time",
    load: () => import('./commands/reset.ts'),
  },
  { name: 'trigger', summary: 'run a job now, under its lock', load: () => import('./commands/trigger.ts') },
  { name: 'pause', summary: 'pause a job for the whole cluster', load: () => import('./commands/pause.ts') },
  { name: 'resume', summary: 'resume a paused job', load: () => import('./commands/resume.ts') },
  { name: 'exec', summary: 'run any command under a lock', load: () => import('./commands/exec.ts') },
  {
    name: 'setup',
    summary: 'make the tables and indexes that the stores need',
    load: () => import('./commands/setup.ts'),
  },
  {
    name: 'doctor',
    summary: 'check config, stores, rights, clocks and versions',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'completion',
    summary: 'print the completions for bash, zsh or fish',
    load: () => import('./commands/completion.ts'),
  },
]

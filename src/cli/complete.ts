import type { Command, Option } from 'commander'
import type { Cli } from './cli.ts'
import { COMMANDS } from './commands.ts'
import { buildProgram } from './program.ts'

interface Candidate {
  readonly word: string
  readonly about: string
}

const FILES = ':files'
/** What the arguments of the commands are. */
const JOBS = ['next', 'trigger', 'status', 'unlock', 'reset', 'exec']
const FILE_ARGUMENTS = ['validate', 'init']

/** Prints what the last of these words may be completed to, see completion-scripts.ts. */
export async function complete(words: readonly string[], cli: Cli): Promise<void> {
  const candidates = await candidatesFor(words, cli)
  if (candidates === FILES) cli.print(FILES)
  else for (const { word, about } of candidates) cli.print(`${word}\t${about.replace(/\s+/g, ' ')}`)
}

async function candidatesFor(words: readonly string[], cli: Cli): Promise<readonly Candidate[] | typeof FILES> {
  const last = words.at(-1) ?? ''
  const [name = ''] = words
  const isIn = ({ word }: Candidate): boolean => word.startsWith(last)
  if (words.length < 2) {
    const commands = [...COMMANDS, { name: 'help', summary: 'show the help of a command' }]
    return commands.map(({ name, summary }) => ({ word: name, about: summary })).filter(isIn)
  }
  if (words.includes('--')) return FILES
  const program = await buildProgram(cli, [name], () => {})
  const command = program.commands.find((each) => each.name() === name)
  if (!command)
    return name === 'help' ? COMMANDS.map(({ name, summary }) => ({ word: name, about: summary })).filter(isIn) : []
  const option = optionBefore(command, words)
  if (option) {
    const values = await valuesOf(option, words, cli)
    return values === FILES ? FILES : values.filter(isIn)
  }
  if (last.startsWith('-')) return optionsOf(command).filter(isIn)
  if (name === 'completion') return ['bash', 'zsh', 'fish'].map((word) => ({ word, about: 'shell' })).filter(isIn)
  if (FILE_ARGUMENTS.includes(name)) return FILES
  return JOBS.includes(name) ? (await jobsOf(words, cli)).filter(isIn) : []
}

function optionBefore(command: Command, words: readonly string[]): Option | undefined {
  const before = words.at(-2)
  return command.options.find(
    ({ long, short, required, optional }) => (required || optional) && (before === long || before === short),
  )
}

const optionsOf = (command: Command): Candidate[] =>
  [
    ...command.options,
    ...command
      .createHelp()
      .visibleOptions(command)
      .filter(({ long }) => long === '--help'),
  ]
    .filter(({ hidden }) => !hidden)
    .map(({ long, short, description }) => ({ word: long ?? short ?? '', about: description }))

async function valuesOf(
  option: Option,
  words: readonly string[],
  cli: Cli,
): Promise<readonly Candidate[] | typeof FILES> {
  if (option.long === '--config') return FILES
  if (option.long === '--every-tick') return ['minute', 'hour', 'day', 'week'].map((word) => ({ word, about: 'tick' }))
  if (option.long === '--store')
    return ((await planOf(words, cli))?.stores ?? []).map(({ name, shown }) => ({ word: name, about: shown }))
  return (option.argChoices ?? []).map((word) => ({ word, about: option.description }))
}

const jobsOf = async (words: readonly string[], cli: Cli): Promise<Candidate[]> =>
  ((await planOf(words, cli))?.jobs ?? []).map(({ name, description }) => ({ word: name, about: description ?? 'job' }))

/** A config that is wrong, or not there, completes to nothing. */
async function planOf(words: readonly string[], cli: Cli) {
  const { loadPlan } = await import('./config-option.ts')
  const at = words.findIndex((word) => word === '--config' || word === '-c')
  const config = at < 0 ? undefined : words[at + 1]
  return loadPlan(cli, config === undefined ? {} : { config }).catch(() => undefined)
}

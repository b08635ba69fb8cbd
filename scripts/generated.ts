import { readFileSync } from 'node:fs'
import { PassThrough, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Cli } from '../src/cli/cli.ts'
import { COMMANDS } from '../src/cli/commands.ts'
import { buildProgram } from '../src/cli/program.ts'
import type { JsonSchema } from '../src/config/json-schema.ts'
import { configSchema } from './config-schema/config-schema.ts'
import { openApi } from './openapi.ts'

export interface Generated {
  readonly file: string
  readonly text: string
}

const root = fileURLToPath(new URL('../', import.meta.url))

/** Every file that is made from the source, or has parts that are, as it should be. */
export async function generated(): Promise<readonly Generated[]> {
  const schema = configSchema()
  const job = schema.properties?.jobs?.items
  const shared = Object.keys(schema.properties?.defaults?.properties ?? {})
  const ofJob = Object.keys(job?.properties ?? {}).filter((option) => !shared.includes(option))
  return [
    { file: `${root}config.schema.json`, text: `${JSON.stringify(schema, undefined, 2)}\n` },
    page('docs/config.md', {
      top: optionTable(schema),
      job: optionTable(job, ofJob),
      shared: optionTable(schema.properties?.defaults),
      store: optionTable(objectIn(schema.properties?.store)),
      http: optionTable(objectIn(job?.properties?.http)),
    }),
    page('docs/cli.md', { commands: await commandHelps() }),
    { file: `${root}docs/http-api.yaml`, text: openApi() },
  ]
}

/** A page with what stands between `<!-- begin: name -->` and `<!-- end: name -->` made anew. */
function page(path: string, parts: Readonly<Record<string, string>>): Generated {
  let text = readFileSync(root + path, 'utf8')
  for (const [name, part] of Object.entries(parts)) {
    const [begin, end] = [`<!-- begin: ${name} -->`, `<!-- end: ${name} -->`]
    const [before, rest] = text.split(begin)
    const after = rest?.split(end)[1]
    if (before === undefined || after === undefined) throw new Error(`${path} has no ${begin} … ${end}`)
    text = `${before}${begin}\n\n${part.trim()}\n\n${end}${after}`
  }
  return { file: root + path, text }
}

const objectIn = (schema: JsonSchema | undefined): JsonSchema | undefined =>
  schema?.anyOf?.find(({ properties }) => properties)

function optionTable(schema: JsonSchema | undefined, only?: readonly string[]): string {
  const rows = Object.entries(schema?.properties ?? {})
    .filter(([option]) => only?.includes(option) ?? true)
    .map(([option, { description = '', default: value }]) => {
      const usual = value === undefined ? '' : `\`${value}\``
      return `| \`${option}\` | ${usual} | ${description.replaceAll('|', '\\|')} |`
    })
  return ['| option | default | what it does |', '| --- | --- | --- |', ...rows].join('\n')
}

async function commandHelps(): Promise<string> {
  const sections: string[] = []
  for (const { name } of COMMANDS) {
    let help = ''
    const sink = new Writable({
      write(piece, _, done) {
        help += String(piece)
        done()
      },
    })
    const cli = new Cli({ stdin: new PassThrough(), stdout: sink, stderr: sink }, { NO_COLOR: '1' }, '/')
    const program = await buildProgram(cli, [name], () => {})
    program.commands.find((command) => command.name() === name)?.outputHelp()
    sections.push(`### ${name}\n\n\`\`\`text\n${help.trim()}\n\`\`\``)
  }
  return sections.join('\n\n')
}

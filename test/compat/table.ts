import type { Library } from './libraries.ts'
import type { Toolchain } from './toolchains.ts'

/** How a library's versions fared. */
export interface Outcome {
  readonly library: Library
  readonly failed: readonly string[]
}

interface Manifest {
  readonly peerDependencies: Readonly<Record<string, string>>
}

/** The tables of docs/compatibility.md. */
export function compatibilityTable(
  outcomes: readonly Outcome[],
  tools: readonly { readonly toolchain: Toolchain; readonly failed: boolean }[],
  { peerDependencies }: Manifest,
): string {
  const rows = outcomes.map(({ library, failed }) => {
    const { name, entry, versions, needsPattern = [], note } = library
    const ran = versions.map((version) => (failed.includes(version) ? `**${version} fails**` : version)).join(', ')
    const pattern =
      needsPattern.length === 0
        ? ''
        : `${needsPattern.join(', ')}: with the option \`cron\` or \`every\`, refused without`
    const result = [failed.length === 0 ? 'works' : 'see the versions', pattern, note].filter(Boolean).join('; ')
    return `| ${name} | \`${entry}\` | ${peerDependencies[name] ?? 'any'} | ${ran} | ${result} |`
  })
  const toolRows = tools.map(({ toolchain, failed }) => `| ${toolchain.name} | ${failed ? '**fails**' : 'works'} |`)
  return [
    '<!-- table -->',
    '| library | entry point | range | versions run | result |',
    '| ------- | ----------- | ----- | ------------ | ------ |',
    ...rows,
    '',
    '| tool | result |',
    '| ---- | ------ |',
    ...toolRows,
    '<!-- end -->',
  ].join('\n')
}

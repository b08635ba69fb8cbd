import type { JobConfig } from './config.ts'
import { masked } from './mask.ts'
import type { Path } from './mistake.ts'
import type { Source } from './source.ts'

/**
 * What a job runs, in one line. Values from the environment are shown as the config names them, since they may be secrets. Headers, bodies and
 * variables are left out.
 */
export function whatRuns(job: JobConfig, source: Pick<Source, 'written'>, path: Path): string {
  const shown = (value: string, ...at: (string | number)[]): string => source.written([...path, ...at]) ?? value
  const { exec, shell, http, module } = job
  if (exec) return masked(exec.map((part, index) => quoted(shown(part, 'exec', index))).join(' '))
  if (shell !== undefined)
    return masked(
      shown(shell, 'shell')
        .trim()
        .replace(/\s*\n\s*/g, '; '),
    )
  if (typeof http === 'string') return masked(`GET ${shown(http, 'http')}`)
  if (http)
    return masked(`${http.method ?? (http.body === undefined ? 'GET' : 'POST')} ${shown(http.url, 'http', 'url')}`)
  return shown(module ?? '', 'module')
}

const quoted = (part: string): string => (/^[\w./:=@%+,${}-]+$/.test(part) ? part : JSON.stringify(part))

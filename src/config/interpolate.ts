/** What stands where in a text, and is wrong. */
export interface TextProblem {
  /** The text that is wrong, as it is written. */
  readonly written: string
  readonly message: string
}

export interface Interpolated {
  readonly text: string
  /** Whether anything was put in. */
  readonly substituted: boolean
  readonly problems: readonly TextProblem[]
}

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g
const BODY = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s

/**
 * Puts the values of the environment into a text: `${NAME}`, and `${NAME:-default}` where NAME is not set or empty, as a POSIX shell does it. `$${` stands for
 * `${` itself. A `$` before anything else stays.
 */
export function interpolate(text: string, environment: Readonly<Record<string, string | undefined>>): Interpolated {
  const problems: TextProblem[] = []
  let substituted = false
  const filled = text.replace(REFERENCE, (written: string, body: string | undefined, closed: string | undefined) => {
    if (body === undefined) return '${'
    const [, name, fallback] = (closed && BODY.exec(body)) || []
    if (name === undefined) {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what the user writes
      const message = 'is no variable: write ${NAME} or ${NAME:-default}, or $${ for the text ${ itself'
      problems.push({ written, message: `${cut(written)} ${message}` })
      return ''
    }
    substituted = true
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined
    if (value !== undefined && (value !== '' || fallback === undefined)) return value
    if (fallback !== undefined) return fallback
    const ways = `set it, or write \${${name}:-default}, or $\${${name}} for that text itself`
    problems.push({ written, message: `the environment has no variable ${name}: ${ways}` })
    return ''
  })
  return { text: filled, substituted, problems }
}

const cut = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text)

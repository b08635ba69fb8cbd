const LONGEST = 500

/** What stands before a secret in messages of drivers and clients, and what the secret looks like. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  // user:password@ in a URL
  [/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, '$1…@'],
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, '$1 …'],
  [
    /((?:password|passwd|pwd|secret|token|api[-_]?key|authorization)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&"']+)/gi,
    '$1…',
  ],
]

/**
 * The text of what was thrown, as history keeps it and pages show it: its first line, at most 500 characters, without stack, and without what looks like a secret: the
 * user's part of URLs, bearer tokens, and what follows words such as `password=`.
 */
export function shortText(thrown: unknown): string {
  const line = textOf(thrown).split(/[\r\n]/, 1)[0] ?? ''
  const told = SECRETS.reduce((text, [secret, instead]) => text.replace(secret, instead), line.slice(0, 4 * LONGEST))
  // Neither control characters nor half a surrogate pair, which stores may not keep.
  return told
    .replace(/\p{Cc}/gu, ' ')
    .slice(0, LONGEST)
    .replace(/\p{Surrogate}/gu, '\ufffd')
}

/** Some things can't be made a text, and a getter may throw. */
function textOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)
  } catch {
    return 'something that has no text was thrown'
  }
}

/* What may be shown of a text that could have a secret in it. */

const HIDDEN = '***'

/** Each with the secret as its group `secret`. */
const SECRETS = [
  // A URL's password, up to the last @ of the word: one that is not encoded may have any sign in it.
  /[a-z][a-z0-9+.-]*:\/\/[^\s:@/]*:(?<secret>[^\s"]+)@/gi,
  // A parameter of a URL.
  /[?&](?:[a-z_-]*pass(?:word|phrase)?|pwd|[a-z_-]*secret|[a-z_-]*token|api[_-]?key)=(?<secret>[^&\s"'#]+)/gi,
  // A line of YAML or JSON whose key says it.
  /^[\s-]*["']?[\w.-]*(?:passw|passphrase|secret|token|authorization|credential|cookie|api[_-]?key|private[_-]?key)[\w.-]*["']?\s*:\s*(?<secret>\S.*?)\s*$/gim,
  // The same within braces.
  /[{,]\s*["']?[\w.-]*(?:passw|passphrase|secret|token|authorization|credential|cookie|api[_-]?key|private[_-]?key)[\w.-]*["']?\s*:\s*(?<secret>"(?:[^"\\]|\\.)*"|'[^']*'|[^\s,}"']+)/gi,
]

export interface Range {
  readonly from: number
  readonly to: number
}

export interface Masked {
  readonly text: string
  /** Where a place of the text before is now. */
  at(place: number): number
}

/** Where the secrets of a text are. */
export const secretsIn = (text: string): Range[] => SECRETS.flatMap((pattern) => secretRanges(text, pattern))

/** Puts `***` for these ranges of a text. */
export function mask(text: string, secrets: readonly Range[]): Masked {
  const ranges = secrets.toSorted((a, b) => a.from - b.from)
  let masked = ''
  let done = 0
  const cuts: (Range & { readonly shift: number })[] = []
  for (const range of ranges) {
    const from = Math.max(range.from, done)
    if (range.to <= from) continue
    masked += text.slice(done, from) + HIDDEN
    done = range.to
    cuts.push({ from, to: range.to, shift: masked.length - range.to })
  }
  const at = (place: number): number => {
    const last = cuts.findLast(({ from }) => from < place)
    return last ? Math.max(place, last.to) + last.shift : place
  }
  return { text: masked + text.slice(done), at }
}

/** The text with `***` for passwords in URLs and the like. */
export const masked = (text: string): string => mask(text, secretsIn(text)).text

/**
 * The text with `***` for passwords in URLs, also for those with an unescaped `/`: for what may be anything, such as a line of JSON, which must
 * stay one. A port is no password.
 */
export const maskedUrls = (text: string): string =>
  text.replace(/(:\/\/[^\s:@/"']*:)(?!\d+[/?#])[^\s"']+@/g, `$1${HIDDEN}@`)

/** What looks like `user:password@` even where the URL around it is broken. For the lines of a config: elsewhere it would hide too much. */
export const credentials = (text: string): Range[] => secretRanges(text, /:(?!\/\/)(?<secret>[^\s@"']+)@/g)

function secretRanges(text: string, pattern: RegExp): Range[] {
  return [...text.matchAll(pattern)].map((match) => {
    const secret = match.groups?.secret ?? ''
    // The last place in the match: the secret may begin like what stands before it.
    const from = match.index + match[0].lastIndexOf(secret)
    return { from, to: from + secret.length }
  })
}

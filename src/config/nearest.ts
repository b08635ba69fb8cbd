import { distance } from 'fastest-levenshtein'

/** The word that was most likely meant, if any is near enough: a slip in three letters, one more for each further three, or letters in another order. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(/[-_ ]/g, '')
  const given = plain(word.slice(0, 100))
  const limit = Math.max(1, Math.floor(given.length / 3))
  const ranked = words.map((known) => ({ known, far: far(given, plain(known)) })).sort((a, b) => a.far - b.far)
  const best = ranked[0]
  return best && best.far <= limit ? best.known : undefined
}

/** Letters that changed places count as one slip. */
const far = (given: string, known: string): number =>
  sorted(given) === sorted(known) ? Math.min(1, distance(given, known)) : distance(given, known)

const sorted = (word: string): string => [...word].sort().join('')

/** `; did you mean "x"?`, or else what there is to choose from. */
export function suggestion(word: string, words: readonly string[], what: string): string {
  const near = nearest(word, words)
  if (near !== undefined) return `; did you mean ${JSON.stringify(near)}?`
  return words.length === 0 ? '' : `; ${what} ${words.join(', ')}`
}

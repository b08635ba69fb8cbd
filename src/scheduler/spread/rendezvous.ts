/*
 * Rendezvous hashing (highest random weight, Thaler and Ravishankar 1996): every node computes the same order of nodes for a tick of
 * a job, without a message. A node that comes or goes changes only its own share.
 */

/** FNV-1a, 32 bits (Fowler, Noll, Vo), over UTF-16 code units. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash
}

/** The finaliser of MurmurHash3 (Austin Appleby, public domain): every bit of the input changes half of the output's bits. */
function mix(bits: number): number {
  let hash = bits
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Beyond 32 bits of a tick: its ms since the epoch have 41. */
const HIGH = 2 ** 32

/** What a tick of a job contributes to its scores: computed once for all labels. */
export const tickKey = (name: string, tick: number): number =>
  mix(mix(hashOf(name)) ^ mix(tick % HIGH) ^ Math.imul(Math.floor(tick / HIGH), 0x9e3779b1))

/** The score of a label, by its hash, for a tick. The label with the highest score is the first choice. */
export const scoreOf = (key: number, label: number): number => mix(key ^ label)

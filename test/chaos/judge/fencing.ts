import { groupBy } from './group.ts'
import type { Grant, History } from './history.ts'
import type { Violate } from './judge.ts'

/** Fencing tokens never repeat or go back: a grant that was asked for after another was known has a higher one. */
export function judgeFencing({ grants }: History, violate: Violate): void {
  for (const [job, ofJob] of groupBy(grants, (grant) => grant.job)) {
    const tell = (grant: Grant, other: Grant): void =>
      violate(
        'fencing',
        `${job}: ${grant.life} was granted ${grant.token} after ${other.life} was granted ${other.token}`,
      )
    const tokens = new Map<number, Grant>()
    const known = [...ofJob].sort((a, b) => a.knownAt - b.knownAt)
    let next = 0
    let highest: Grant | undefined
    for (const grant of [...ofJob].sort((a, b) => a.askedAt - b.askedAt)) {
      for (let other = known[next]; other && other.knownAt < grant.askedAt; other = known[++next]) {
        if (!highest || other.token > highest.token) highest = other
      }
      const same = tokens.get(grant.token)
      if (same) tell(grant, same)
      else if (highest && grant.token <= highest.token) tell(grant, highest)
      tokens.set(grant.token, grant)
    }
  }
}

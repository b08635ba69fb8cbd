import fc from 'fast-check'
import { AWKWARD } from '../../../src/testing/cases/awkward.ts'
import {
  type AskedAcquire,
  type AskedExtend,
  type AskedRelease,
  NAMES,
  type Operation,
  OWNERS,
  type TickChoice,
  type Who,
} from './operations.ts'

const HOUR = 3_600_000

const pick = fc.constantFrom
const name = fc.nat({ max: NAMES - 1 })
const node = fc.nat({ max: 1 })
const who: fc.Arbitrary<Who> = fc.oneof(pick('holder' as const), fc.nat({ max: OWNERS - 1 }))

/**
 * Leases that are over at once, soon, and never. Of ends that are decades off, sums of doubles would be a microsecond wrong; the conformance suite
 * has the longest.
 */
const lockAtMostFor = pick(1, 2, 5, 15, 40, 60_000, 60_000, HOUR, 30 * 24 * HOUR)
const lockAtLeastFor = pick(0, 0, 0, 5, 20, 60_000)

const tick: fc.Arbitrary<TickChoice> = fc.oneof(
  { weight: 3, arbitrary: pick(undefined) },
  { weight: 4, arbitrary: fc.record({ from: pick('last' as const), ms: pick(-HOUR, -1, 0, 0, 1, 50) }) },
  { weight: 3, arbitrary: fc.record({ from: pick('now' as const), ms: pick(-HOUR, -1_000, -1, 0, 1) }) },
  { weight: 1, arbitrary: fc.record({ from: pick('bound' as const), ms: pick(-1_000, 0, 1, 2, HOUR) }) },
)

/** Texts that stores can keep, of at most so many UTF-16 units. */
const textOf = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .oneof(pick(...AWKWARD), fc.string({ unit: 'binary', maxLength }), fc.string({ unit: 'grapheme', maxLength }))
    .map((text) => text.replaceAll('\0', ''))

/** What names of a history may begin with, so that some are alike. */
const beginning = pick('', '', 'job:', '{tag}')

/** The names of a history, as odd as `checkName` lets them be. */
export const names = fc
  .tuple(
    beginning,
    fc.uniqueArray(
      textOf(60).filter((text) => text.length > 0 && text.trim() === text),
      { minLength: NAMES, maxLength: NAMES },
    ),
  )
  .map(([common, rest]) => rest.map((text) => common + text))
  .filter((made) => made.every((name) => name.length <= 255))

/** The labels of a history's owners. */
export const labels = fc.array(textOf(250), { minLength: OWNERS, maxLength: OWNERS })

const acquire: fc.Arbitrary<AskedAcquire> = fc.record({
  name,
  who,
  lockAtMostFor,
  tick,
  onCrash: pick(undefined, 'skip', 'rerun', 'rerun'),
  maxClockSkew: pick(0, 60_000),
  metadata: fc.option(textOf(60), { nil: undefined }),
})

/** Alone, the bound of shortening may also be at the moment itself: in a batch one doesn't know at which moment each was decided. */
const extend = (alone: boolean): fc.Arbitrary<AskedExtend> =>
  fc.record({
    name,
    who,
    lockAtMostFor,
    lockAtLeastFor,
    mayShortenFor: pick(undefined, -1_000, HOUR, ...(alone ? [0, 1, 2] : [])),
  })

const release: fc.Arbitrary<AskedRelease> = fc.record({ name, who, lockAtLeastFor, tick })

/** One, or none to eight, among which a name may be more than once. */
const batch = <Asked>(one: fc.Arbitrary<Asked>, several = one): fc.Arbitrary<readonly Asked[]> =>
  fc.oneof(
    { weight: 1, arbitrary: fc.tuple(one) },
    { weight: 1, arbitrary: fc.array(several, { maxLength: 8, size: 'max' }) },
  )

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 9, arbitrary: fc.record({ verb: pick('acquire'), node, asked: batch(acquire) }) },
  { weight: 5, arbitrary: fc.record({ verb: pick('extend'), node, asked: batch(extend(true), extend(false)) }) },
  { weight: 5, arbitrary: fc.record({ verb: pick('release'), node, asked: batch(release) }) },
  { weight: 4, arbitrary: fc.record({ verb: pick('repeat'), node, ago: fc.nat({ max: 6 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ verb: pick('read'), node, names: fc.option(fc.array(name), { nil: undefined }) }),
  },
  { weight: 1, arbitrary: fc.record({ verb: pick('forceRelease'), node, name }) },
  { weight: 1, arbitrary: fc.record({ verb: pick('prune'), node, olderThanMs: pick(0, 1, 10, HOUR) }) },
  { weight: 1, arbitrary: fc.record({ verb: pick('lose'), node, name }) },
  { weight: 2, arbitrary: fc.record({ verb: pick('wait'), node, name }) },
)

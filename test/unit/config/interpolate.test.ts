import { describe, expect, it } from 'vitest'
import { interpolate } from '../../../src/config/interpolate.ts'
import { masked } from '../../../src/config/mask.ts'
import { nearest } from '../../../src/config/nearest.ts'
import { Secrets } from '../../../src/config/secrets.ts'

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: that is what users write
describe('a text with variables', () => {
  it.each([
    ['${A}', 'a'],
    ['x${A}y${A}', 'xaya'],
    ['${B:-b c}', 'b c'],
    ['${EMPTY:-b}', 'b'],
    ['${EMPTY}', ''],
    ['${B:-}', ''],
    ['$${A}', '${A}'],
    ['$A $$ $', '$A $$ $'],
  ])('%s becomes %s', (text, filled) => {
    expect(interpolate(text, { A: 'a', EMPTY: '' })).toMatchObject({ text: filled, problems: [] })
  })

  it.each(['${B}', '${}', '${A', '${1}', '${toString}'])('%s is wrong', (text) => {
    expect(interpolate(text, { A: 'a' }).problems).toHaveLength(1)
  })
})
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: as above

describe('a password', () => {
  it.each([
    ['postgres://u:pw@h/d', 'postgres://u:***@h/d'],
    ['redis://:p@ss@h', 'redis://:***@h'],
    ['mongodb://u:a%40b@h1,h2/d?authSource=x', 'mongodb://u:***@h1,h2/d?authSource=x'],
    ['mysql://h/d?password=pw&ssl=1', 'mysql://h/d?password=***&ssl=1'],
    ['  password: pw', '  password: ***'],
    ['postgres://h/d', 'postgres://h/d'],
  ])('in %s is shown as %s', (text, shown) => expect(masked(text)).toBe(shown))

  it('of a store in use is hidden wherever a driver writes it, however it is encoded', () => {
    const secrets = new Secrets()
    secrets.add('postgres://app:a%40b%22cd@h/d')
    expect(secrets.hide('no a@b"cd, no a%40b%22cd, no a@b\\"cd')).toBe('no ***, no ***, no ***')
  })

  it('is not looked for where a line of JSON would break', () => {
    const line = '{"msg":"GET http://localhost:3000/a","mail":"me@example.com"}'
    expect(new Secrets().hide(line)).toBe(line)
    expect(new Secrets().hide('{"msg":"at redis://u:hush@h"}')).toBe('{"msg":"at redis://u:***@h"}')
  })

  it('that is a public part of its URL too is hidden in URLs only', () => {
    const secrets = new Secrets()
    secrets.add('postgres://postgres:postgres@localhost/postgres')
    expect(secrets.hide('database "postgres" at postgres://postgres:postgres@localhost')).toBe(
      'database "postgres" at postgres://postgres:***@localhost',
    )
  })
})

describe('the word that was meant', () => {
  it.each([
    ['lockAtMostfor', 'lockAtMostFor'],
    ['lock-at-most-for', 'lockAtMostFor'],
    ['evry', 'every'],
    ['jbos', 'jobs'],
    ['xyz', undefined],
  ])('by %s is %s', (word, meant) => {
    expect(nearest(word, ['lockAtMostFor', 'lockAtLeastFor', 'every', 'jobs'])).toBe(meant)
  })
})

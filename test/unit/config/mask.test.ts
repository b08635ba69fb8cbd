import { describe, expect, it } from 'vitest'
import { mask, masked, maskedUrls, secretsIn } from '../../../src/config/mask.ts'
import { Secrets } from '../../../src/config/secrets.ts'

describe('a secret in a text is hidden', () => {
  it.each([
    ['postgres://app:pa/ss@db/app', 'postgres://app:***@db/app'],
    ['postgres://app:p#ss@w@db/app failed', 'postgres://app:***@db/app failed'],
    ['{"url":"redis://:s3cret@db","port":1}', '{"url":"redis://:***@db","port":1}'],
    ['connect to http://host:8080/a@b', 'connect to http://host:8080/a@b'],
    ['mailto:a@b', 'mailto:a@b'],
  ])('in a URL: %s', (text, hidden) => expect(maskedUrls(text)).toBe(hidden))

  it('also where a driver quotes the password alone', () => {
    const secrets = new Secrets()
    secrets.add('mysql://app:pa/ss@db/app')
    expect(secrets.hide('access denied, using pa/ss or pa%2Fss')).toBe('access denied, using *** or ***')
  })

  it('once, however often its line is looked at: in time that grows with the length of the line', () => {
    const line = Array.from({ length: 20_000 }, (_, index) => `token: t${index}`).join(', ')
    expect(mask(line, secretsIn(line)).text.length).toBeLessThan(line.length)
    expect(masked('password: hunter2')).toBe('password: ***')
  })
})

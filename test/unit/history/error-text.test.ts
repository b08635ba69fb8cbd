import fc from 'fast-check'
import { expect, it } from 'vitest'
import { shortText } from '../../../src/history/index.ts'

it.each([
  [new Error('boom'), 'Error: boom'],
  [new TypeError('first\nsecond'), 'TypeError: first'],
  ['a text', 'a text'],
  [undefined, 'undefined'],
  [
    new Error('connect to postgres://app:s3cret@db:5432/jobs failed'),
    'Error: connect to postgres://…@db:5432/jobs failed',
  ],
  [new Error('401 for Authorization: Bearer abc.def-ghi'), 'Error: 401 for Authorization: … …'],
  [new Error('login with password=hunter2 refused'), 'Error: login with password=… refused'],
  [new Error('{"token": "abcdef", "user": "x"}'), 'Error: {"token": …, "user": "x"}'],
  [new Error('tab\there'), 'Error: tab here'],
])('%s becomes %s', (thrown, text) => {
  expect(shortText(thrown)).toBe(text)
})

it('is short, on one line, and whole characters, whatever is thrown', () => {
  fc.assert(
    fc.property(fc.anything(), fc.string({ unit: 'binary', maxLength: 3_000 }), (thrown, message) => {
      for (const text of [shortText(new Error(message)), shortText(message)]) {
        expect(text.length).toBeLessThanOrEqual(500)
        expect(text).not.toMatch(/[\p{Cc}\p{Surrogate}]/u)
      }
      expect(typeof shortText(thrown)).toBe('string')
    }),
  )
})

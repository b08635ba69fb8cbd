import { expect, it } from 'vitest'
import { shortly } from '../../../bench/harness/shortly.ts'

it('tells the failure of a library in one short line', () => {
  const stack = 'file:///x.js:3\n  throw new Error(1)\n\nTypeError: path missing\n    at y\n'
  expect(shortly(`${stack}${'noise\n'.repeat(100_000)}`)).toBe('TypeError: path missing')
  expect(shortly('TypeError: path missing\n at y')).toBe('TypeError: path missing')
  expect(shortly(`Error: ${'x'.repeat(5_000)}`)).toHaveLength(160)
  expect(shortly('')).toBe('')
})

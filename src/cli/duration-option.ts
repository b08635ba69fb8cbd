import { InvalidArgumentError } from 'commander'
import { parseDuration } from '../duration.ts'
import { isInvalidOption } from '../errors.ts'

/** Reads a duration given as an option; answers ms. */
export function duration(min: number): (text: string) => number {
  return (text) => {
    try {
      return parseDuration(/^\d+$/.test(text) ? Number(text) : text, { option: 'it', min })
    } catch (error) {
      if (!isInvalidOption(error)) throw error
      const expected = error.message.includes(' ms to ')
        ? `It must be from ${min} ms to 100 years.`
        : 'It must be a duration such as 500ms, 10s, 5m, 1h30m or PT10M.'
      throw new InvalidArgumentError(expected)
    }
  }
}

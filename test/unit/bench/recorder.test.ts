import { describe, expect, it } from 'vitest'
import { Recorder } from '../../../bench/stores/store.ts'

describe('a recorder', () => {
  class Client {
    readonly #sent: string[] = []
    async query(text: string): Promise<string[]> {
      this.#sent.push(text)
      return this.#sent
    }
  }

  it('notes what is asked of the client during the work, to be asked again by the client alone', async () => {
    const client = new Client()
    const recorder = new Recorder(client, ['query'])
    await recorder.client.query('before')
    const calls = await recorder.record(() => recorder.client.query('noted'))
    await recorder.client.query('after')
    expect(calls).toHaveLength(1)
    await calls[0]?.()
    expect(await client.query('end')).toEqual(['before', 'noted', 'after', 'noted', 'end'])
  })

  it('refuses work in which nothing was noted: a ratio to nothing would look like a result', async () => {
    const recorder = new Recorder(new Client(), ['execute'])
    await expect(recorder.record(() => recorder.client.query('unseen'))).rejects.toThrow(/no call of the client/)
    expect(recorder.recording).toBe(false)
  })
})

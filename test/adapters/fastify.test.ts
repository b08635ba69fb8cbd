import Fastify from 'fastify'
import { Scheduler } from 'ticklock'
import { ticklock } from 'ticklock/fastify'
import { memory } from 'ticklock/memory'
import { describe, expect, it, vi } from 'vitest'

const lockAtMostFor = '1m'

describe('the Fastify plugin', () => {
  it('starts when the server listens, not before, and drains when it closes', async () => {
    const order: string[] = []
    let open = (): void => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const scheduler = new Scheduler({ provider: memory() })
    scheduler.job({ name: 'slow', every: '100ms', lockAtMostFor }, async () => {
      order.push('began')
      await gate
      order.push('ended')
    })
    const app = Fastify()
    app.addHook('onClose', async () => void order.push('what was registered before is closed'))
    app.register(ticklock, { scheduler, graceFor: '10s' })
    await app.ready()
    await new Promise((resolve) => setTimeout(resolve, 250))
    expect(order).toEqual([])
    await app.listen({ port: 0 })
    await vi.waitFor(() => expect(order).toEqual(['began']))
    const closed = app.close().then(() => order.push('closed'))
    await new Promise((resolve) => setTimeout(resolve, 250))
    expect(order).toEqual(['began'])
    open()
    await closed
    expect(order).toEqual(['began', 'ended', 'what was registered before is closed', 'closed'])
  })

  it('closes a server that never listened', async () => {
    const app = Fastify()
    app.register(ticklock, { scheduler: new Scheduler({ provider: memory() }) })
    await app.ready()
    await app.close()
  })

  it('refuses wrong options', async () => {
    const app = Fastify()
    app.register(ticklock, { scheduler: {} } as never)
    await expect(app.ready()).rejects.toThrow(/scheduler must have the methods start, stop/)
  })
})

/* How the conformance suite meets `ticklock/http`: real servers over the provider of another subject, which also looks into the store. */
import { http } from '../../providers/http/index.ts'
import type { LockProvider } from '../../src/provider/contract.ts'
import { type LockServer, serve } from '../../src/serve/index.ts'
import type { ConformanceSubject } from '../../src/testing/index.ts'

export const TOKEN = 'correct horse battery staple'

/** Servers side by side over one store. Each further node begins with the next of them. */
export function httpSubject(inner: ConformanceSubject, count: number): ConformanceSubject {
  const servers: LockServer[] = []
  const providers: LockProvider[] = []
  const opened: LockProvider[] = []
  let nodes = 0
  const start = async (provider: LockProvider): Promise<void> => {
    await provider.setup?.()
    providers.push(provider)
    servers.push(await serve({ provider, listen: 0, token: TOKEN }))
  }
  return {
    ...inner,
    name: `${inner.name} by ${count} HTTP servers`,
    connect() {
      const first = nodes++ % count
      const url = [...servers.slice(first), ...servers.slice(0, first)].map((server) => server.url)
      const node = http({ url, token: TOKEN })
      opened.push(node)
      return node
    },
    unreachable: () => http({ url: 'http://127.0.0.1:1', token: TOKEN }),
    unprepared: 'the server sets its store up before it listens',
    clientSurvivesClose: 'the provider has no client',
    async before() {
      await inner.before?.()
      for (let each = 0; each < count; each++) await start(await inner.connect())
      await providers[0]?.history?.setup?.()
    },
    async after() {
      await Promise.all(opened.map((node) => node.close()))
      await Promise.all(servers.map((server) => server.close({ graceFor: 0 })))
      await Promise.all(providers.map((provider) => provider.close()))
      await inner.after?.()
    },
  }
}

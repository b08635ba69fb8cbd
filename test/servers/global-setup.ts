import type { TestProject } from 'vitest/node'
import { acquireServers, releaseServers } from './shared-servers.ts'
import type { ServerName, ServerUnavailable } from './test-server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** What `inject('servers')` answers: each server's URL, or why there is none. */
    servers: Readonly<Record<ServerName, { readonly url: string; readonly version: string } | ServerUnavailable>>
  }
}

/** Starts the servers before the tests of a project, tells the tests where they are, stops them in the end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const servers = await acquireServers()
  const provided = Object.entries(servers).map(([name, server]) => {
    if ('unavailable' in server) return [name, { unavailable: server.unavailable }]
    return [name, { url: server.url, version: server.version }]
  })
  project.provide('servers', Object.fromEntries(provided))
  return releaseServers
}

import { type ServerName, startServer, type TestServer } from '../../test/servers/index.ts'

/** The servers of a run, each started when a row first wants it. */
export class Servers implements AsyncDisposable {
  readonly #say: (text: string) => void
  readonly #started = new Map<ServerName, Promise<TestServer | undefined>>()

  constructor(say: (text: string) => void) {
    this.#say = say
  }

  get(name: ServerName): Promise<TestServer | undefined> {
    const started = this.#started.get(name) ?? this.fresh(name)
    this.#started.set(name, started)
    return started
  }

  /** One that the caller stops; `durable` for one whose data outlives a kill. */
  async fresh(name: ServerName, options: { readonly durable?: boolean } = {}): Promise<TestServer | undefined> {
    const server = await startServer(name, options)
    if ('url' in server) return server
    this.#say(`!!! NOT MEASURED on ${name}: ${server.unavailable}`)
    return undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#started.values()].map(async (server) => (await server)?.stop()))
  }
}

/* Objects in a real etcd, as a kube-apiserver keeps them: `resourceVersion` is the revision of the key's last change, and etcd compares it. */

export interface Stored {
  readonly value: string
  readonly revision: string
}

interface Kv {
  readonly key: string
  readonly value: string
  readonly mod_revision: string
}

export interface Page {
  readonly items: readonly (Stored & { readonly key: string })[]
  readonly more: boolean
  readonly revision: string
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const plain = (text: string): string => Buffer.from(text, 'base64').toString()

/** The revision asked for has been compacted. */
export class ExpiredError extends Error {}

export class Storage {
  readonly #gateway: string

  constructor(gateway: string) {
    this.#gateway = gateway
  }

  async get(key: string): Promise<Stored | undefined> {
    const { kvs = [] } = (await this.#call('/v3/kv/range', { key: base64(key) })) as { kvs?: readonly Kv[] }
    const [kv] = kvs
    return kv && { value: plain(kv.value), revision: kv.mod_revision }
  }

  /** @param revision of the snapshot that the pages are of; none for the first page */
  async list(prefix: string, from: string, limit: number, revision: string | undefined): Promise<Page> {
    const range = { key: base64(from), range_end: base64(`${prefix.slice(0, -1)}0`), limit }
    const reply = (await this.#call('/v3/kv/range', { ...range, ...(revision && { revision }) })) as {
      readonly kvs?: readonly Kv[]
      readonly more?: boolean
      readonly header: { readonly revision: string }
    }
    const items = (reply.kvs ?? []).map((kv) => ({
      key: plain(kv.key),
      value: plain(kv.value),
      revision: kv.mod_revision,
    }))
    return { items, more: reply.more === true, revision: revision ?? reply.header.revision }
  }

  /** Writes if the key has this revision still, `'0'` if there is none. Returns the new one, or `undefined`. */
  async put(key: string, value: string, revision: string): Promise<string | undefined> {
    return await this.#changeIf(key, revision, { request_put: { key: base64(key), value: base64(value) } })
  }

  async delete(key: string, revision: string): Promise<string | undefined> {
    return await this.#changeIf(key, revision, { request_delete_range: { key: base64(key) } })
  }

  async #changeIf(key: string, revision: string, change: object): Promise<string | undefined> {
    const compare = [{ key: base64(key), target: 'MOD', result: 'EQUAL', mod_revision: revision }]
    const { succeeded, header } = (await this.#call('/v3/kv/txn', { compare, success: [change] })) as {
      readonly succeeded?: boolean
      readonly header: { readonly revision: string }
    }
    return succeeded ? header.revision : undefined
  }

  async #call(path: string, body: object): Promise<unknown> {
    const response = await fetch(this.#gateway + path, { method: 'POST', body: JSON.stringify(body) })
    const text = await response.text()
    if (text.includes('required revision has been compacted')) throw new ExpiredError(text)
    if (!response.ok) throw new Error(`etcd: ${text}`)
    return JSON.parse(text)
  }
}

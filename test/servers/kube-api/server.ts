/*
 * A small stand-in for kube-apiserver: Leases over a real etcd, TLS, bearer tokens, and as much of the discovery as kubectl needs.
 *
 *   server.ts PORT ETCD FOLDER    where FOLDER has server.pem, server.key, and tokens, one a line, read at each request
 *
 * POST /test/refuse?count=N&after=S refuses the next N requests with 429 and Retry-After: S.
 */
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import '../fresh-date.ts'
import { Leases } from './leases.ts'
import { badRequest, StatusError } from './rules.ts'
import { Storage } from './storage.ts'

const [port = '', etcd = '', folder = ''] = process.argv.slice(2)
const leases = new Leases(new Storage(etcd))
let refusals = { count: 0, after: 0 }

const GROUP = {
  name: 'coordination.k8s.io',
  versions: [{ groupVersion: 'coordination.k8s.io/v1', version: 'v1' }],
  preferredVersion: { groupVersion: 'coordination.k8s.io/v1', version: 'v1' },
}
const VERBS = ['create', 'delete', 'get', 'list', 'update']
/** What may be read without an object. */
const DISCOVERY: Readonly<Record<string, object>> = {
  '/version': { major: '1', minor: '32', gitVersion: 'v1.32.0-ticklock-stand-in', platform: 'none' },
  '/api': { kind: 'APIVersions', versions: [] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [GROUP] },
  '/apis/coordination.k8s.io': { kind: 'APIGroup', apiVersion: 'v1', ...GROUP },
  '/apis/coordination.k8s.io/v1': {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: 'coordination.k8s.io/v1',
    resources: [{ name: 'leases', singularName: 'lease', namespaced: true, kind: 'Lease', verbs: VERBS }],
  },
}

const LEASES = /^\/apis\/coordination\.k8s\.io\/v1\/namespaces\/([^/]+)\/leases(?:\/([^/]+))?$/

async function reply(request: IncomingMessage): Promise<readonly [status: number, body: object]> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'https://localhost')
  if (pathname === '/test/refuse') {
    refusals = { count: Number(searchParams.get('count')), after: Number(searchParams.get('after')) }
    return [200, {}]
  }
  if (!isAuthenticated(request)) throw new StatusError(401, 'Unauthorized', 'Unauthorized')
  if (refusals.count > 0) {
    refusals.count--
    throw new StatusError(429, 'TooManyRequests', 'Too many requests, please try again later.', refusals.after)
  }
  const discovered = DISCOVERY[pathname]
  if (discovered && request.method === 'GET') return [200, discovered]
  const [, namespace, name] = LEASES.exec(pathname)?.map((part) => part && decodeURIComponent(part)) ?? []
  if (namespace === undefined)
    throw new StatusError(404, 'NotFound', 'the server could not find the requested resource')
  const body = request.method === 'GET' ? undefined : parsed(await text(request))
  if (name === undefined) {
    if (request.method === 'GET') return [200, await leases.list(namespace, searchParams)]
    if (request.method === 'POST') return [201, await leases.create(namespace, body ?? {})]
  } else {
    if (request.method === 'GET') return [200, await leases.get(namespace, name)]
    if (request.method === 'DELETE') return [200, await leases.delete(namespace, name, body ?? {})]
    if (request.method === 'PUT') {
      const [created, lease] = await leases.update(namespace, name, body ?? {})
      return [created ? 201 : 200, lease]
    }
  }
  throw new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource')
}

function isAuthenticated({ headers }: IncomingMessage): boolean {
  const tokens = readFileSync(join(folder, 'tokens'), 'utf8').split('\n').filter(Boolean)
  return tokens.some((token) => headers.authorization === `Bearer ${token}`)
}

function parsed(body: string): object | undefined {
  if (body === '') return undefined
  try {
    return JSON.parse(body) as object
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${error}`)
  }
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const send = (status: number, body: object, headers: object = {}): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }
  try {
    send(...(await reply(request)))
  } catch (error) {
    const { status, reason, retryAfter, message } =
      error instanceof StatusError ? error : new StatusError(500, 'InternalError', `Internal error occurred: ${error}`)
    const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code: status }
    send(status, body, retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) })
  }
}

createServer(
  { cert: readFileSync(join(folder, 'server.pem')), key: readFileSync(join(folder, 'server.key')) },
  (request, response) => void handle(request, response),
).listen(Number(port), '127.0.0.1')

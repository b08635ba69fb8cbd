/* The OpenAPI document of the HTTP API, made from the definitions that check its requests. */
import { stringify } from 'yaml'
import { z } from 'zod'
import { API_VERSION, ERROR_CODES, VERSION_HEADER } from '../src/provider/wire.ts'
import { failure } from '../src/serve/schema.ts'
import { VERBS, type Verb } from '../src/serve/verbs.ts'

const DESCRIPTION = [
  'Locks over HTTP, as `ticklock serve` has them. One POST a verb, with a batch of requests: each is decided on its own, and results come in request order.',
  'A request that failed alone has an error in the place of its result.',
  'All times are by the clock of the store behind the server, in ms since the epoch, and may have fractions. Durations are ms.',
  'Repeat `acquire`, `extend` and `release` with the same owner when a response was lost: that is harmless.',
  'Do not repeat `force-release` and `set-paused` blindly.',
].join(' ')

const ERRORS: Readonly<Record<string, string>> = {
  400: 'The request is malformed. Nothing was decided.',
  401: 'The token is missing or wrong. Nothing was decided.',
  403: 'No token is set up, and a web page sent the request, or it came under an unknown host name. Nothing was decided.',
  413: 'The body is too large: send fewer requests. Nothing was decided.',
  415: 'The content type is not application/json. Nothing was decided.',
  500: 'The server failed. The result is unknown.',
  501: 'The store behind the server can not do this. Nothing was decided.',
  502: 'The store behind the server failed. The result is unknown: repeat with the same owners.',
  503: 'The server has too many calls under way. Nothing was decided: repeat after a second.',
  504: 'The store behind the server did not respond in time. The result is unknown: repeat with the same owners.',
}

type Document = Readonly<Record<string, unknown>>

/** The schemas that have an id. */
const components: Record<string, unknown> = {}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): unknown {
  const {
    $schema: _,
    $defs = {},
    ...rest
  } = z.toJSONSchema(schema, {
    io,
    // As they are sent: objects of responses may get more fields in the same version.
    override({ jsonSchema }) {
      if (io === 'output' && jsonSchema.type === 'object') delete jsonSchema.additionalProperties
    },
  }) as Record<string, unknown> & { $defs?: Record<string, Record<string, unknown>> }
  for (const [id, { id: __, ...definition }] of Object.entries($defs)) components[id] = relinked(definition)
  return relinked(rest)
}

/** References as OpenAPI has them. */
const relinked = (schema: unknown): unknown =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'))

const json = (schema: unknown): Document => ({ 'application/json': { schema } })
const marked = (description: string, schema: unknown): Document => ({
  description,
  headers: { [VERSION_HEADER]: { description: 'The version of the API.', schema: { const: String(API_VERSION) } } },
  content: json(schema),
})

function operationOf({ path, summary, request, response }: Verb): Document {
  return {
    post: {
      operationId: path.replace(/[-/](\w)/g, (_, letter: string) => letter.toUpperCase()),
      summary,
      requestBody: { required: true, content: json(schemaOf(request, 'input')) },
      responses: {
        200: marked('Decided.', schemaOf(response, 'output')),
        ...Object.fromEntries(
          Object.keys(ERRORS).map((status) => [status, { $ref: `#/components/responses/${status}` }]),
        ),
      },
    },
  }
}

/** The document as YAML. */
export function openApi(): string {
  const failed = schemaOf(z.object({ failure }), 'output') as { properties: { failure: unknown } }
  const health = (summary: string): Document => ({
    get: { summary, security: [], responses: { 200: { description: 'Yes.' }, 503: { description: 'No.' } } },
  })
  const paths = {
    ...Object.fromEntries(VERBS.map((verb) => [`/v${API_VERSION}/${verb.path}`, operationOf(verb)])),
    '/healthz': health('Whether the process is alive'),
    '/readyz': health('Whether the store responds and the server is not about to end'),
  }
  const statuses = new Set<number>(Object.values(ERROR_CODES))
  const responses = Object.fromEntries(
    Object.entries(ERRORS).map(([status, description]) => {
      if (!statuses.has(Number(status))) throw new Error(`no error has the status ${status}`)
      return [status, marked(description, failed.properties.failure)]
    }),
  )
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'ticklock serve',
      version: String(API_VERSION),
      description: DESCRIPTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: 'http://127.0.0.1:7420' }],
    security: [{ token: [] }, {}],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'TICKLOCK_SERVE_TOKEN of the server.' },
      },
      responses,
      schemas: Object.fromEntries(Object.entries(components).sort(([a], [b]) => (a < b ? -1 : 1))),
    },
  }
  return `# Made from src/serve/schema.ts by npm run generate.\n${stringify(document, { lineWidth: 118 })}`
}

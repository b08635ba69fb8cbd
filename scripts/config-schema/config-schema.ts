/*
 * The JSON Schema for editors. The definition that validates gives its options and their types; here it is brought
 * close to what `ticklock validate` refuses beyond types: forms of texts, bounds, and options that need or contradict
 * each other. It refuses nothing that `validate` accepts, but for a time zone that is not in its usual case and a
 * stepped range whose end is no value of the field.
 */
import { ACTIONS } from '../../src/config/check-job.ts'
import { DURATIONS } from '../../src/config/checks.ts'
import { type JsonSchema, jsonSchema } from '../../src/config/json-schema.ts'
import { STORE_KINDS } from '../../src/config/store-kinds.ts'
import { MAX_METADATA, MAX_NAME } from '../../src/options.ts'
import { MAX_LABEL } from '../../src/provider/holder.ts'
import { CRON, duration, HTTP_URL, STORE_URL, urlOf } from './patterns.ts'
import { ZONES } from './zones.ts'

type Part = Record<string, unknown>
type Parts = Record<string, Part>

/** A text with a variable in it stands for whatever the variable holds. */
const VARIABLE = { type: 'string', pattern: '\\$\\{' }
const text = (rules: object): readonly object[] => [{ type: 'string', ...rules }]
const textOrVariable = (rules: object): readonly object[] => [...text(rules), VARIABLE]

/** What a value may be, by the option's name; a value with a variable in it may be anything. */
const VALUES: Readonly<Record<string, readonly object[]>> = {
  ...Object.fromEntries(Object.entries(DURATIONS).map(([option, min]) => [option, duration(min)])),
  window: duration(1),
  max: [{ type: 'integer', minimum: 1, maximum: 1000 }],
  name: text({ minLength: 1, maxLength: MAX_NAME, pattern: '^\\S(?:[\\s\\S]*\\S)?$' }),
  metadata: text({ maxLength: MAX_METADATA }),
  label: text({ minLength: 1, maxLength: MAX_LABEL }),
  cron: text({ pattern: CRON }),
  timezone: [{ $ref: '#/$defs/timezone' }],
  shell: text({ pattern: '\\S' }),
  module: text({ pattern: '^[^#]' }),
}

/** The schema of `config.schema.json`. */
export function configSchema(): JsonSchema {
  const schema = structuredClone(jsonSchema()) as Part
  const top = schema.properties as Parts
  const job = part(top.jobs, 'items')
  const jobs = part(job, 'properties') as Parts
  narrow(top)
  narrow(part(top.defaults, 'properties') as Parts)
  narrow(jobs)
  narrowStore(part(top, 'store'))
  narrowStore(part(top.stores, 'additionalProperties'))
  Object.assign(part(jobs, 'exec'), { minItems: 1 })
  narrowHttp(part(jobs, 'http'))
  job.allOf = [...oneSchedule, ...oneAction]
  schema.allOf = [ONE_DEFAULT_STORE]
  schema.$defs = { timezone: { type: 'string', enum: ZONES } }
  // Each job has its own, unless the defaults have one.
  const hasLength = { type: 'object', required: ['lockAtMostFor'] }
  schema.if = { properties: { defaults: hasLength }, required: ['defaults'] }
  schema.else = { properties: { jobs: { type: 'array', items: hasLength } } }
  return schema
}

const part = (of: Part | undefined, name: string): Part => of?.[name] as Part

function narrow(properties: Parts): void {
  for (const [option, schema] of Object.entries(properties)) {
    const values = VALUES[option]
    if (values) replace(schema, [...values, VARIABLE])
  }
  const { catchUp } = properties
  for (const branch of (catchUp?.anyOf ?? []) as Part[]) if (branch.properties) narrow(branch.properties as Parts)
}

/** Leaves what an option is for, and says anew what it may be. */
function replace(schema: Part, anyOf: readonly object[]): void {
  const { description, default: usual } = schema
  for (const key of Object.keys(schema)) delete schema[key]
  Object.assign(schema, {
    ...(description !== undefined && { description }),
    ...(usual !== undefined && { default: usual }),
    anyOf,
  })
}

const branches = (schema: Part): { readonly text: Part; readonly object: Part } => {
  const anyOf = schema.anyOf as Part[]
  return {
    text: anyOf.find(({ type }) => type === 'string') as Part,
    object: anyOf.find(({ type }) => type === 'object') as Part,
  }
}

function narrowStore(schema: Part): void {
  const { object } = branches(schema)
  const { url } = object.properties as Parts
  replace(url as Part, textOrVariable({ pattern: STORE_URL }))
  object.allOf = STORE_KINDS.map(({ schemes, options }) => ({
    if: { properties: { url: { type: 'string', pattern: urlOf(schemes) } }, required: ['url'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { propertyNames: { enum: ['url', ...options] } },
  }))
  replace(schema, [...textOrVariable({ pattern: STORE_URL }), object])
}

function narrowHttp(schema: Part): void {
  const { object } = branches(schema)
  const { url, headers, expectStatus } = object.properties as Parts
  replace(url as Part, textOrVariable({ pattern: HTTP_URL }))
  Object.assign(headers as Part, { propertyNames: { pattern: "^[!#$%&'*+.^_`|~\\w-]+$" } })
  const status = [
    { type: 'integer', minimum: 100, maximum: 599 },
    ...textOrVariable({ pattern: '^[1-5](?:[Xx][Xx]|\\d\\d)$' }),
  ]
  replace(expectStatus as Part, [...status, { type: 'array', items: { anyOf: status } }])
  object.allOf = [
    {
      if: { properties: { method: { enum: ['GET', 'HEAD'] } }, required: ['method'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { properties: { body: false } },
    },
  ]
  replace(schema, [...textOrVariable({ pattern: HTTP_URL }), object])
}

/** Where one option is given, these others are not. */
const excludes = (option: string, ...others: readonly string[]): Part => ({
  if: { required: [option] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { properties: Object.fromEntries(others.map((other) => [other, false])) },
})

const oneOf = (options: readonly string[]): Part => ({ anyOf: options.map((option) => ({ required: [option] })) })

const oneSchedule = [oneOf(['cron', 'every']), excludes('every', 'cron', 'timezone')]

const oneAction = [
  oneOf(ACTIONS),
  ...ACTIONS.map((action, index) => excludes(action, ...ACTIONS.slice(index + 1))).slice(0, -1),
  excludes('http', 'env', 'cwd', 'killAfter'),
  excludes('module', 'env', 'cwd', 'killAfter'),
]

/** `store` is the one called `default`. */
const ONE_DEFAULT_STORE: Part = {
  if: { required: ['store'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { properties: { stores: { type: 'object', properties: { default: false } } } },
}

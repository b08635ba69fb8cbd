import { z } from 'zod'
import type { Path } from './mistake.ts'
import { configSchema } from './schema.ts'

/** The part of a JSON Schema that is used here. */
export interface JsonSchema {
  readonly type?: string | undefined
  readonly description?: string | undefined
  readonly default?: unknown
  readonly enum?: readonly unknown[] | undefined
  readonly properties?: Readonly<Record<string, JsonSchema>> | undefined
  readonly required?: readonly string[] | undefined
  readonly items?: JsonSchema | undefined
  readonly additionalProperties?: JsonSchema | boolean | undefined
  readonly anyOf?: readonly JsonSchema[] | undefined
}

/** A text with a variable in it stands for whatever the variable holds. */
const VARIABLE = { type: 'string', pattern: '\\$\\{' }

let made: JsonSchema | undefined

/** The JSON Schema of a config file, made from the definition that validates it. */
export function jsonSchema(): JsonSchema {
  made ??= {
    ...(z.toJSONSchema(configSchema, {
      io: 'input',
      override({ jsonSchema: part }) {
        if (part.type !== 'boolean' && part.type !== 'number' && part.enum === undefined) return
        const { description, default: value, ...rest } = part
        for (const key of Object.keys(part)) delete (part as Record<string, unknown>)[key]
        Object.assign(part, {
          ...(description !== undefined && { description }),
          ...(value !== undefined && { default: value }),
          anyOf: [rest, VARIABLE],
        })
      },
    }) as JsonSchema),
    title: 'ticklock.config',
  } as JsonSchema
  return made
}

/** The names of the options that an object at this path of a config may have. */
export function optionsAt(path: Path): readonly string[] {
  return Object.keys(schemaAt(path)?.properties ?? {})
}

function schemaAt(path: Path): JsonSchema | undefined {
  let schema: JsonSchema | undefined = objectOf(jsonSchema())
  for (const part of path) {
    const { additionalProperties: others, properties, items }: JsonSchema = schema ?? {}
    const further = properties && Object.hasOwn(properties, part) ? properties[part] : items
    schema = objectOf(further ?? (typeof others === 'object' ? others : undefined))
  }
  return schema
}

/** Of several possibilities, the one that is an object or a list. */
const objectOf = (schema: JsonSchema | undefined): JsonSchema | undefined =>
  schema?.anyOf?.map(objectOf).find((each) => each?.properties ?? each?.items) ?? schema

import { fileURLToPath } from 'node:url'
import { jsonSchema } from '../src/config/json-schema.ts'

export interface Generated {
  readonly file: string
  readonly text: string
}

const root = fileURLToPath(new URL('../', import.meta.url))

/** Every file that is made from the source, as it should be. */
export async function generated(): Promise<readonly Generated[]> {
  return [{ file: `${root}config.schema.json`, text: `${JSON.stringify(jsonSchema(), undefined, 2)}\n` }]
}

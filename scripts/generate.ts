// Writes what is made from definitions in the source: config.schema.json, docs/http-api.yaml, and the tables of docs/config.md and docs/cli.md. A test checks that they are up to date.
import { writeFileSync } from 'node:fs'
import { generated } from './generated.ts'

for (const { file, text } of await generated()) writeFileSync(file, text)

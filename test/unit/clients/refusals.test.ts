import { describe, expect, it } from 'vitest'
import { arrayLiteral } from '../../../src/clients/array-literal.ts'
import {
  fromDrizzle,
  fromGlide,
  fromKnex,
  fromKysely,
  fromNodeRedis,
  fromPostgresJs,
  fromPrisma,
  fromTypeOrm,
} from '../../../src/clients/index.ts'

const method = (): void => {}
const connections = { acquireConnection: method, releaseConnection: method }

describe('a client of another library', () => {
  it.each([
    ['postgres', fromPostgresJs, { unsafe: method, savepoint: method }, /not one of its transactions/],
    ['Knex', fromKnex, { raw: method, client: connections, isTransaction: true }, /inside a transaction/],
    [
      'Kysely',
      fromKysely,
      { withoutPlugins: method, executeQuery: method, isTransaction: true },
      /inside a transaction/,
    ],
    ['Drizzle', fromDrizzle, { execute: method, rollback: method }, /not one of its transactions/],
    ['TypeORM', fromTypeOrm, { query: method, queryRunner: {} }, /a DataSource of TypeORM/],
    ['Prisma', fromPrisma, { $queryRawUnsafe: method, $executeRawUnsafe: method }, /not one of its transactions/],
  ])('is refused when it is a transaction of %s', (_, from, transaction, message) => {
    expect(() => (from as (client: unknown) => unknown)(transaction)).toThrow(message)
  })

  it.each([fromDrizzle, fromGlide, fromKnex, fromKysely, fromNodeRedis, fromPostgresJs, fromPrisma, fromTypeOrm])(
    'is refused when it is something else: %o',
    (from) => {
      for (const wrong of [undefined, null, 'postgres://localhost', {}, method]) {
        expect(() => (from as (client: unknown) => unknown)(wrong)).toThrow(
          expect.objectContaining({ code: 'INVALID_OPTION' }),
        )
      }
    },
  )
})

describe('a list as PostgreSQL reads it', () => {
  it.each([
    [[], '{}'],
    [['a', 'b c', ''], '{"a","b c",""}'],
    [['say "hi"', 'back\\slash', '{a,b}', 'NULL', "it's"], '{"say \\"hi\\"","back\\\\slash","{a,b}","NULL","it\'s"}'],
    [[1.5, 1e21, null, undefined, true], '{"1.5","1e+21",NULL,NULL,"true"}'],
  ])('%j', (list, literal) => expect(arrayLiteral(list)).toBe(literal))
})

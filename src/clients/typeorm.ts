import { has, refuse } from './refuse.ts'
import { answerOf, placeOf, type SqlAnswer, type SqlPlace, type SqlSession } from './sql-client.ts'

/** The small part of TypeORM's `DataSource` that is used here. */
export interface TypeOrmDataSource {
  readonly options?: { readonly type: string }
  createQueryRunner(mode?: 'master'): TypeOrmQueryRunner
}

/** The small part of TypeORM's `QueryRunner` that is used here. */
export interface TypeOrmQueryRunner {
  /** The driver's own connection. */
  connect(): Promise<unknown>
  query(
    text: string,
    values: unknown[],
    structured: true,
  ): Promise<{ readonly raw: unknown; readonly records?: unknown }>
  release(): Promise<void>
}

/**
 * TypeORM's `DataSource` for `pg` for `postgres()`, or for `mysql2` for `mysql()`; initialized before the first use. Where it knows replicas, the
 * statements go to the primary.
 *
 * @example
 * const provider = postgres(fromTypeOrm(dataSource))
 *
 * @throws {InvalidOptionError} for anything else, an entity manager or a query runner for instance.
 */
export function fromTypeOrm(dataSource: TypeOrmDataSource): SqlPlace {
  if (!has(dataSource, 'createQueryRunner', 'initialize')) refuse('fromTypeOrm', 'a DataSource of TypeORM', dataSource)
  const query = async (text: string, values: unknown[]): Promise<SqlAnswer> => {
    const runner = dataSource.createQueryRunner('master')
    try {
      const { raw, records } = await runner.query(text, values, true)
      return answerOf(Array.isArray(records) ? records : Array.isArray(raw) ? raw : [], raw)
    } catch (error) {
      throw driverError(error)
    } finally {
      await runner.release()
    }
  }
  return placeOf(query, dataSource.options?.type === 'postgres' ? () => sessionOf(dataSource) : undefined)
}

async function sessionOf(dataSource: TypeOrmDataSource): Promise<SqlSession> {
  const runner = dataSource.createQueryRunner('master')
  const client = (await runner.connect()) as SqlSession['client'] & { end(): Promise<void> }
  return {
    client,
    release(drop) {
      // A pool of pg doesn't take back what has ended.
      if (drop) void client.end()
      void runner.release()
    },
  }
}

/** TypeORM wraps the driver's error, which has the code that the provider looks at. */
const driverError = (error: unknown): unknown =>
  error instanceof Error && 'driverError' in error && error.driverError instanceof Error ? error.driverError : error

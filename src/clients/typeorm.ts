import { has, refuse } from './refuse.ts'
import { answerOf, placeOf, type SqlPlace } from './sql-client.ts'

/** The small part of TypeORM's `DataSource` that is used here. */
export interface TypeOrmDataSource {
  createQueryRunner(mode?: 'master'): TypeOrmQueryRunner
}

/** The small part of TypeORM's `QueryRunner` that is used here. */
export interface TypeOrmQueryRunner {
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
  return placeOf(async (text, values) => {
    const runner = dataSource.createQueryRunner('master')
    try {
      const { raw, records } = await runner.query(text, values, true)
      return answerOf(Array.isArray(records) ? records : Array.isArray(raw) ? raw : [], raw)
    } catch (error) {
      throw driverError(error)
    } finally {
      await runner.release()
    }
  })
}

/** TypeORM wraps the driver's error, which has the code that the provider looks at. */
const driverError = (error: unknown): unknown =>
  error instanceof Error && 'driverError' in error && error.driverError instanceof Error ? error.driverError : error

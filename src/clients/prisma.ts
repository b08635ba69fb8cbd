import { withoutLists } from './array-literal.ts'
import { has, refuse } from './refuse.ts'
import { answerOf, placeOf, type SqlPlace } from './sql-client.ts'

/** The small part of a Prisma client that is used here. */
export interface PrismaClient {
  $queryRawUnsafe(query: string, ...values: unknown[]): PromiseLike<unknown>
  $executeRawUnsafe(query: string, ...values: unknown[]): PromiseLike<number>
}

/**
 * A client that Prisma 7 generated for PostgreSQL, for `postgres()`. Values are bound, not spliced in: what is "unsafe" about the methods used is that
 * they take a text for the statement.
 *
 * @example
 * const provider = postgres(fromPrisma(prisma))
 *
 * @throws {InvalidOptionError} for an interactive transaction, and for anything else.
 */
export function fromPrisma(prisma: PrismaClient): SqlPlace {
  if (!has(prisma, '$queryRawUnsafe', '$executeRawUnsafe', '$connect'))
    refuse('fromPrisma', 'a Prisma client, not one of its transactions', prisma)
  return placeOf(async (text, values) => {
    try {
      // A statement that answers no rows, such as the one that makes the table, has no values.
      if (values.length === 0 && !/^\s*(SELECT|WITH)\b/i.test(text)) {
        await prisma.$executeRawUnsafe(text)
        return answerOf([])
      }
      const rows = await prisma.$queryRawUnsafe(text, ...withoutLists(values))
      return answerOf(rows as readonly unknown[])
    } catch (error) {
      throw withSqlState(error)
    }
  })
}

interface PrismaError {
  readonly meta?: {
    readonly code?: unknown
    readonly driverAdapterError?: { readonly cause?: { readonly originalCode?: unknown; readonly code?: unknown } }
  }
}

/** Prisma has codes of its own; the provider looks at the server's, which lie deeper. */
function withSqlState(error: unknown): unknown {
  const { meta } = error as PrismaError
  const cause = meta?.driverAdapterError?.cause
  const code = cause?.originalCode ?? cause?.code ?? meta?.code
  if (!(error instanceof Error) || code === undefined) return error
  return Object.assign(new Error(error.message, { cause: error }), { code })
}

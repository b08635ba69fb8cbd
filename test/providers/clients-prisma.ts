/*
 * A client of Prisma 7 as `prisma generate` makes it for a schema without models, less its types: the command itself would download an engine that the client
 * does not need.
 */
import { createRequire } from 'node:module'
import { PrismaPg } from '@prisma/adapter-pg'
import * as runtime from '@prisma/client/runtime/client'

/** What the types of Node 20 leave out. */
interface Wasm {
  readonly WebAssembly: { readonly Module: new (bytes: Uint8Array) => object }
}

const load = createRequire(import.meta.url)

export interface RawPrismaClient {
  $connect(): Promise<void>
  $disconnect(): Promise<void>
  $transaction<T>(work: (tx: unknown) => Promise<T>): Promise<T>
  $queryRawUnsafe(query: string, ...values: unknown[]): Promise<unknown>
  $executeRawUnsafe(query: string, ...values: unknown[]): Promise<number>
}

/** A connected client over the adapter for `pg`. */
export function prismaClient(url: string): RawPrismaClient {
  const PrismaClient = runtime.getPrismaClient({
    previewFeatures: [],
    clientVersion: '7.10.0',
    engineVersion: '',
    activeProvider: 'postgresql',
    inlineSchema:
      'generator client {\n provider = "prisma-client"\n}\n\ndatasource db {\n provider = "postgresql"\n}\n',
    runtimeDataModel: { models: {}, enums: {}, types: {} },
    parameterizationSchema: { strings: [], graph: 'AAAA' },
    compilerWasm: {
      getRuntime: async () => load('@prisma/client/runtime/query_compiler_fast_bg.postgresql.js'),
      getQueryCompilerWasmModule: async () => {
        const { wasm } = load('@prisma/client/runtime/query_compiler_fast_bg.postgresql.wasm-base64.js')
        return new (globalThis as unknown as Wasm).WebAssembly.Module(Buffer.from(wasm, 'base64'))
      },
      importName: './query_compiler_fast_bg.js',
    },
  } as unknown as runtime.GetPrismaClientConfig)
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 4 }) }) as unknown as RawPrismaClient
}

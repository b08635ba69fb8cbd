/*
 * What `prisma generate` makes for a schema without models, less its types. In an app it lies where the generator's `output` says; it stands here since
 * the command itself would download an engine that the client does not need.
 */
import { createRequire } from 'node:module'
import * as runtime from '@prisma/client/runtime/client'

/** What the types of Node 20 leave out. */
interface Wasm {
  readonly WebAssembly: { readonly Module: new (bytes: Uint8Array) => object }
}

const load = createRequire(import.meta.url)

/** The part of a generated client that stands for all schemas. */
export interface RawPrismaClient {
  $connect(): Promise<void>
  $disconnect(): Promise<void>
  $transaction<T>(work: (tx: unknown) => Promise<T>): Promise<T>
  $queryRawUnsafe(query: string, ...values: unknown[]): Promise<unknown>
  $executeRawUnsafe(query: string, ...values: unknown[]): Promise<number>
}

export const PrismaClient = runtime.getPrismaClient({
  previewFeatures: [],
  clientVersion: '7.10.0',
  engineVersion: '',
  activeProvider: 'postgresql',
  inlineSchema: 'generator client {\n provider = "prisma-client"\n}\n\ndatasource db {\n provider = "postgresql"\n}\n',
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
} as unknown as runtime.GetPrismaClientConfig) as unknown as new (options: {
  adapter: object
}) => RawPrismaClient

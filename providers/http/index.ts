export { http } from './http.ts'
export type { HttpOptions } from './options.ts'

export { type MemoryOptions, type MemoryProvider, memory } from './memory.ts'

import type { AnyMethod } from './form.ts'

/** The part of the package `reflect-metadata` that keeps what other decorators noted about a method. */
interface ReflectMetadata {
  getOwnMetadataKeys?(target: object): unknown[]
  getOwnMetadata?(key: unknown, target: object): unknown
  defineMetadata?(key: unknown, value: unknown, target: object): void
}

/**
 * Lets the method that takes another's place carry all that was noted on that one, so that the order of decorators doesn't matter: name and length, own properties
 * (`@Job` is one), and the notes of `reflect-metadata` (those of NestJS are, `@Cron` among them).
 */
export function keepMarks<Wrapped extends AnyMethod>(method: AnyMethod, wrapped: Wrapped): Wrapped {
  for (const key of Reflect.ownKeys(method)) {
    const property = Object.getOwnPropertyDescriptor(method, key)
    if (property && Object.getOwnPropertyDescriptor(wrapped, key)?.configurable !== false)
      Object.defineProperty(wrapped, key, property)
  }
  const { getOwnMetadataKeys, getOwnMetadata, defineMetadata } = Reflect as ReflectMetadata
  for (const key of getOwnMetadataKeys?.(method) ?? []) defineMetadata?.(key, getOwnMetadata?.(key, method), wrapped)
  return wrapped
}

const LOCKED = Symbol.for('ticklock.decorators.locked')

/** Lets {@link hasLockedMethods} know the method. */
export function markLocked<Method extends AnyMethod>(method: Method): Method {
  Object.defineProperty(method, LOCKED, { value: true, configurable: true })
  return method
}

/** Whether an object has, or inherits, methods that run under a lock. */
export function hasLockedMethods(target: object): boolean {
  for (let object: object | null = target; object; object = Object.getPrototypeOf(object)) {
    for (const key of Reflect.ownKeys(object)) {
      const method: unknown = Object.getOwnPropertyDescriptor(object, key)?.value
      if (typeof method === 'function' && LOCKED in method) return true
    }
  }
  return false
}

import { show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'

/** Any method, for a type that takes all of them. */
export type AnyMethod = (...args: never[]) => unknown

/** What a standard decorator is told, as far as it is used here. */
export interface MethodContext {
  readonly kind: string
  readonly name: string | symbol
  readonly static: boolean
  readonly private: boolean
  readonly access: { get(object: unknown): unknown }
  addInitializer(initializer: (this: unknown) => void): void
}

/** A method that is decorated, in whichever form. */
export interface Decorated {
  readonly method: AnyMethod
  readonly name: string
  /** What only the standard form knows. */
  readonly context: MethodContext | undefined
}

/**
 * Makes one decorator for both forms: the standard one (TC39, TypeScript 5 without options) is called with the method and a context, the legacy one
 * (`experimentalDecorators`) with the class or its prototype, the method's name and its property descriptor. `decorate` answers the
 * method that takes its place.
 *
 * @throws {InvalidOptionError} from the decorator when it stands on what is not a method.
 */
export function inBothForms(decorator: string, decorate: (decorated: Decorated) => AnyMethod) {
  const only = (found: unknown): InvalidOptionError =>
    new InvalidOptionError(`@${decorator} stands on methods only, not on ${show(found)}`)
  return (target: unknown, second: unknown, descriptor?: unknown): unknown => {
    if (isContext(second)) {
      if (second.kind !== 'method' || typeof target !== 'function') throw only(second.kind)
      return decorate({ method: target as AnyMethod, name: String(second.name), context: second })
    }
    const property = descriptor as TypedPropertyDescriptor<unknown> | undefined
    if (typeof property?.value !== 'function') throw only(second === undefined ? 'class' : String(second))
    const method = decorate({ method: property.value as AnyMethod, name: String(second), context: undefined })
    return { ...property, value: method }
  }
}

const isContext = (value: unknown): value is MethodContext =>
  typeof value === 'object' && value !== null && 'kind' in value

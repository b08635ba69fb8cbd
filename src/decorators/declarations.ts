import { show } from '../duration.ts'
import { InvalidOptionError } from '../errors.ts'
import type { JobOptions } from '../scheduler/job-options.ts'
import type { AnyMethod } from './form.ts'

/** The options of a job that a method declares. */
export interface MethodJobOptions extends Omit<JobOptions, 'name'> {
  /** The job's name, the same on every node; or a function that makes it from the instance, so that each instance has a job of its own. */
  readonly name: string | ((instance: never) => string)
}

/** A job declared by `@Job`, kept on the method that declares it. */
export interface Declaration {
  readonly options: MethodJobOptions
  /** The method's name, for messages. */
  readonly method: string
  /** Whether some instance was registered, or nobody wants to. */
  settled: boolean
}

/** A declared job and what runs it. */
export interface DeclaredJob {
  readonly declaration: Declaration
  readonly work: AnyMethod
}

// Keys of the objects that they concern: nothing is kept anywhere else. Registered symbols, so that two copies of the package agree.
const JOBS = Symbol.for('ticklock.decorators.jobs')
const PRIVATE_JOBS = Symbol.for('ticklock.decorators.private-jobs')

type Marked = { [JOBS]?: readonly Declaration[]; [PRIVATE_JOBS]?: readonly DeclaredJob[] }

/** Marks a method as a job, in addition to those that it is. */
export function declare(method: AnyMethod, declaration: Declaration): void {
  const marked = method as Marked
  hide(marked, JOBS, [declaration, ...(marked[JOBS] ?? [])])
}

/** Notes a job of a private method with the object that has it, since nobody else can find it there. */
export function declarePrivate(object: unknown, job: DeclaredJob): void {
  if (typeof object !== 'object' && typeof object !== 'function') return
  const marked = object as Marked
  const own = Object.hasOwn(marked, PRIVATE_JOBS) ? (marked[PRIVATE_JOBS] ?? []) : []
  hide(marked, PRIVATE_JOBS, [...own, job])
}

/**
 * The jobs of an instance, or of a class for its static methods. A subclass has the jobs of its base class; where it overrides the method, the override
 * is what runs; where the override is decorated itself, that declaration is the one that counts.
 */
export function jobsOf(target: object): DeclaredJob[] {
  const found = new Map<PropertyKey, readonly Declaration[]>()
  for (let object: object | null = target; object; object = Object.getPrototypeOf(object)) {
    for (const key of Reflect.ownKeys(object)) {
      const method = Object.getOwnPropertyDescriptor(object, key)?.value as Marked | undefined
      if (typeof method === 'function' && Object.hasOwn(method, JOBS) && !found.has(key))
        found.set(key, method[JOBS] ?? [])
    }
  }
  const jobs = [...found].flatMap(([key, declarations]) =>
    declarations.map((declaration) => ({ declaration, work: Reflect.get(target, key) as AnyMethod })),
  )
  const hidden = Object.hasOwn(target, PRIVATE_JOBS) ? ((target as Marked)[PRIVATE_JOBS] ?? []) : []
  return [...jobs, ...hidden]
}

/** The job's name for an instance. */
export function nameOf({ options, method }: Declaration, target: object): string {
  const name: unknown = typeof options.name === 'function' ? options.name(target as never) : options.name
  if (typeof name === 'string') return name
  throw new InvalidOptionError(`@Job on ${method}: name must answer a text, but answered ${show(name)}`)
}

function hide(object: Marked, key: symbol, value: unknown): void {
  Object.defineProperty(object, key, { value, configurable: true, writable: true, enumerable: false })
}

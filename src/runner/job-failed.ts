/** A run of a job that did its work and failed at it: a command that exits with another code than 0, an answer with another status. */
export class JobFailedError extends Error {
  /** The exit code of a command. */
  readonly exitCode: number | undefined

  constructor(message: string, exitCode?: number, options?: ErrorOptions) {
    super(message, options)
    this.name = 'JobFailedError'
    this.exitCode = exitCode
  }
}

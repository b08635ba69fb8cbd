import { findOrInstall } from '../servers/find-program.ts'

/** The path of a program, which is installed if need be: by root, on Debian. Elsewhere `undefined`, and what needs it is not tested. */
export async function installed(program: string): Promise<string | undefined> {
  try {
    return await findOrInstall(program, program)
  } catch (error) {
    console.error(`!!! NOT TESTED with ${program}: ${(error as Error).message}`)
    return undefined
  }
}

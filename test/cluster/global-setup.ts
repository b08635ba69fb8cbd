import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

let built = false

/** Builds the package once, since these tests use it as its users do. */
export default function setup(): void {
  if (built) return
  execFileSync(process.execPath, [fileURLToPath(new URL('../../scripts/build.mjs', import.meta.url))], {
    stdio: 'inherit',
  })
  built = true
}

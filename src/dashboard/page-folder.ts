import { fileURLToPath } from 'node:url'

/** The folder of the page's files. scripts/build.mjs writes this module anew for CommonJS, which has no import.meta. */
// biome-ignore lint/suspicious/noTsIgnore: an error in one of the two builds only
// @ts-ignore
export const pageFolder: string = fileURLToPath(new URL('./page/', import.meta.url))

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pageFolder } from './page-folder.ts'

const TYPES = {
  'index.html': 'text/html; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'uPlot.min.css': 'text/css; charset=utf-8',
  'uPlot.iife.min.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
  'main.js': 'text/javascript; charset=utf-8',
  'api.js': 'text/javascript; charset=utf-8',
  'dom.js': 'text/javascript; charset=utf-8',
  'format.js': 'text/javascript; charset=utf-8',
  'timeline.js': 'text/javascript; charset=utf-8',
  'home.js': 'text/javascript; charset=utf-8',
  'jobs.js': 'text/javascript; charset=utf-8',
  'job.js': 'text/javascript; charset=utf-8',
  'model.js': 'text/javascript; charset=utf-8',
  'nodes.js': 'text/javascript; charset=utf-8',
  'state.js': 'text/javascript; charset=utf-8',
  'theme.js': 'text/javascript; charset=utf-8',
  'access.js': 'text/javascript; charset=utf-8',
} as const

export type Asset = keyof typeof TYPES

export const isAsset = (name: string): name is Asset => Object.hasOwn(TYPES, name)

const read = new Map<Asset, Promise<string>>()

/** One of the page's own files, read once. */
export async function asset(name: Asset): Promise<{ readonly text: string; readonly type: string }> {
  let text = read.get(name)
  if (!text) {
    text = readFile(pathOf(name), 'utf8')
    read.set(name, text)
  }
  return { text: await text, type: TYPES[name] }
}

/** The build lays the chart library beside the page; in the sources it is where npm has put it. */
function pathOf(name: Asset): string {
  const own = join(pageFolder, name)
  if (!name.startsWith('uPlot') || existsSync(own)) return own
  return join(dirname(createRequire(pageFolder).resolve('uplot')), name)
}

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { slugOf } from '../slug.mjs'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const { description, exports, repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The title of a page of docs/. */
const titleOf = (page) => /^# (.*)$/m.exec(readFileSync(join(root, 'docs', `${page}.md`), 'utf8'))?.[1] ?? page

const item = (page, text = titleOf(page)) => ({ text, link: `/${page}` })
const folder = (name, skipped = []) =>
  readdirSync(join(root, 'docs', name))
    .map((file) => `${name}/${file.replace(/\.md$/, '')}`)
    .filter((page) => !skipped.includes(page))
    .map((page) => item(page))

const entries = Object.entries(exports).flatMap(([name, target]) =>
  typeof target === 'string'
    ? []
    : [{ text: `ticklock${name.slice(1)}`, link: `/reference/${name.slice(2) || 'ticklock'}` }],
)

const sidebar = [
  {
    text: 'Start',
    items: [item('getting-started'), item('concepts')],
  },
  {
    text: 'Guides',
    items: [
      item('guides/nestjs', 'NestJS'),
      item('guides/kubernetes', 'Docker and Kubernetes'),
      item('guides/serverless', 'Serverless'),
      item('guides/testing', 'Test your jobs'),
      item('guides/shedlock', 'Share locks with ShedLock'),
      item('guides/upgrading', 'Upgrade'),
      item('jobs'),
      item('locks'),
      item('observability'),
      item('dashboard'),
      item('config'),
      item('cli'),
    ],
  },
  {
    text: 'Coming from',
    items: [
      item('from/shedlock', 'ShedLock'),
      item('from/node-cron', 'node-cron, cron, croner'),
      item('from/nestjs-schedule', '@nestjs/schedule'),
      item('from/agenda', 'agenda'),
      item('from/bullmq', 'BullMQ'),
      item('from/pg-boss', 'pg-boss'),
      item('migrating', 'All in short'),
    ],
  },
  { text: 'Adapters', collapsed: true, items: folder('adapters') },
  { text: 'Providers', collapsed: true, items: [...folder('providers'), item('writing-a-provider')] },
  { text: 'Reference', collapsed: true, items: [{ text: 'All entry points', link: '/reference/' }, ...entries] },
  {
    text: 'Proof',
    items: [item('guarantees'), item('proof'), item('performance'), item('compatibility')],
  },
  {
    text: 'Project',
    collapsed: true,
    items: [
      { text: 'Changelog', link: '/project/changelog' },
      { text: 'Contributing', link: '/project/contributing' },
      { text: 'Security', link: '/project/security' },
    ],
  },
]

// Pages that nobody has put into a group yet still have a place.
const known = JSON.stringify(sidebar)
const others = readdirSync(join(root, 'docs'))
  .filter((file) => file.endsWith('.md') && !known.includes(`"/${file.replace(/\.md$/, '')}"`))
  .map((file) => item(file.replace(/\.md$/, '')))
if (others.length > 0) sidebar.push({ text: 'More', items: others })

export default {
  title: 'ticklock',
  description,
  lang: 'en',
  srcDir: '.build/pages',
  outDir: 'dist',
  cacheDir: '.build/cache',
  cleanUrls: false,
  metaChunk: true,
  markdown: { anchor: { slugify: slugOf } },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Start', link: '/getting-started' },
      { text: 'Reference', link: '/reference/' },
      { text: 'Proof', link: '/guarantees' },
    ],
    sidebar,
    ...(repository && {
      socialLinks: [{ icon: 'github', link: (repository.url ?? repository).replace(/^git\+|\.git$/g, '') }],
    }),
  },
}

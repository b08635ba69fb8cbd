// npm run docs: makes the documentation site in site/dist from docs/, the project's own pages, and the docstrings of
// every entry point. `npm ci` installs what it needs into site/node_modules at the first call, and after a change of
// its lock file.
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { slugOf } from './slug.mjs'

const site = dirname(fileURLToPath(import.meta.url))
const root = dirname(site)
const build = join(site, '.build')
const pages = join(build, 'pages')
const { exports, repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Pages of the repository's root, and where they are on the site. */
const PROJECT = {
  'CHANGELOG.md': 'project/changelog.md',
  'CONTRIBUTING.md': 'project/contributing.md',
  'SECURITY.md': 'project/security.md',
}

install()
rmSync(build, { recursive: true, force: true })
cpSync(join(root, 'docs'), pages, { recursive: true })
copyFileSync(join(site, 'index.md'), join(pages, 'index.md'))
mkdirSync(join(pages, 'project'))
for (const [file, page] of Object.entries(PROJECT)) copyFileSync(join(root, file), join(pages, page))
for (const page of readdirSync(pages, { recursive: true })) if (page.endsWith('.md')) rewriteLinks(page)
mkdirSync(join(pages, 'public'))
copyFileSync(join(root, 'docs', 'http-api.yaml'), join(pages, 'public', 'http-api.yaml'))
makeApi()
run('vitepress', 'bin/vitepress.js', 'build', '.')

function install() {
  const lock = readFileSync(join(site, 'package-lock.json'), 'utf8')
  const stamp = join(site, 'node_modules', '.installed')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  execFileSync('npm', ['ci', ...quiet], { cwd: site, stdio: ['ignore', 2, 2] })
  writeFileSync(stamp, lock)
}

function run(name, file, ...args) {
  execFileSync(process.execPath, [join(site, 'node_modules', name, file), ...args], { cwd: site, stdio: 'inherit' })
}

/** The reference: one page an entry point, by a file for each that exports what the entry point does. */
function makeApi() {
  const entries = join(build, 'entries')
  mkdirSync(entries)
  for (const [name, target] of Object.entries(exports)) {
    if (typeof target === 'string') continue
    const source = target.import.default.replace('./dist/', '../../../').replace(/js$/, 'ts')
    writeFileSync(join(entries, `${name.slice(2) || 'ticklock'}.ts`), `export * from '${source}'\n`)
  }
  run('typedoc', 'bin/typedoc', '--options', 'typedoc.json')
  for (const entry of readdirSync(entries).map((file) => file.replace(/\.ts$/, ''))) {
    const file = join(pages, 'reference', `${entry}.md`)
    const title = entry === 'ticklock' ? entry : `ticklock/${entry}`
    const text = readFileSync(file, 'utf8').replace(/^# .*$/m, `# ${title}`)
    // TypeDoc numbers a heading whose name is that of a class and its method run together, as if it came twice.
    const slugs = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => slugOf(heading))
    const isOnce = (slug) => slugs.filter((each) => each === slug).length === 1
    writeFileSync(
      file,
      text.replace(/\]\(#([\w-]+)-1\)/g, (link, slug) => (isOnce(slug) ? `](#${slug})` : link)),
    )
  }
}

/**
 * Links from a page to files that are no pages of the site lead to the repository, or nowhere while `package.json`
 * names none.
 */
function rewriteLinks(page) {
  const file = join(pages, page)
  const isProject = page.startsWith('project/')
  const folder = isProject ? '' : posix.dirname(posix.join('docs', page))
  const text = readFileSync(file, 'utf8').replace(
    /(!?)\[([^\]]*)\]\((?!\w+:)([^)#\s]+)(#[^)\s]*)?\)/g,
    (all, image, label, to, hash = '') => {
      const target = posix.normalize(posix.join(folder, to))
      if (PROJECT[target]) return `[${label}](/${PROJECT[target].replace(/\.md$/, '')}${hash})`
      if (target.startsWith('docs/')) return isProject ? `${image}[${label}](/${target.slice(5)}${hash})` : all
      return repository ? `[${label}](${urlOf(repository)}/blob/main/${target}${hash})` : label
    },
  )
  writeFileSync(file, text)
}

const urlOf = (given) => (given.url ?? given).replace(/^git\+|\.git$/g, '')

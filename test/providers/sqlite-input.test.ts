import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type SqliteInput, sqlite } from '../../providers/sqlite/index.ts'
import { readInput } from '../../providers/sqlite/options.ts'
import { InvalidOptionError } from '../../src/errors.ts'

describe('what sqlite() takes', () => {
  it.each([
    ['./a b.sqlite', resolve('a b.sqlite')],
    ['/var/lib/a%20b.sqlite', resolve('/var/lib/a%20b.sqlite')],
    ['sqlite:./a%20b.sqlite', resolve('a b.sqlite')],
    ['sqlite:a.sqlite', resolve('a.sqlite')],
    ['sqlite:///var/lib/a%20b.sqlite', resolve('/var/lib/a b.sqlite')],
    ['file:///var/lib/a.sqlite', resolve('/var/lib/a.sqlite')],
    ['SQLITE:/var/lib/a.sqlite', resolve('/var/lib/a.sqlite')],
  ])('%s is the file %s', (input, path) => {
    expect(readInput(input).place).toEqual({ path })
    expect(readInput({ [/^(file|sqlite):/i.test(input) ? 'url' : 'path']: input }).place).toEqual({ path })
  })

  it.each([
    ['nothing', undefined, /a path, a URL, an open database or options/],
    ['a number', 7, /but got 7/],
    ['an empty path', '', /path of a file/],
    ['a database in memory', ':memory:', /ticklock\/memory/],
    ['a database in memory, by URL', 'sqlite::memory:', /ticklock\/memory/],
    ['a URL with a host', 'sqlite://host/a.sqlite', /url must look like/],
    ['a URL with parameters', 'sqlite:./a.sqlite?mode=ro', /url must look like/],
    ['a URL that is badly escaped', 'sqlite:./100%.sqlite', /url must look like/],
    ['an unknown option', { path: 'a', tabel: 'b' }, /unknown option "tabel"/],
    ['two places', { path: 'a', url: 'sqlite:b' }, /exactly one of path, url and database, not path and url/],
    ['no place', { table: 'a' }, /exactly one of .*none/],
    ['no database', { database: {} }, /node:sqlite/],
    ['a table that is no name', { path: 'a', table: 'a; DROP TABLE b' }, /table must be/],
    ['a clock that is no function', { path: 'a', now: 5 }, /now must be a function/],
  ])('%s is refused at once', (_, input, message) => {
    expect(() => sqlite(input as SqliteInput)).toThrow(InvalidOptionError)
    expect(() => sqlite(input as SqliteInput)).toThrow(message)
  })

  it('a URL of another store is refused without a word of it, for it may have a password', () => {
    expect(() => sqlite('postgres://me:secret@host/db')).toThrow(InvalidOptionError)
    expect(() => sqlite('postgres://me:secret@host/db')).not.toThrow(/secret/)
  })

  it('a folder that is missing is an error that says so, at the first use', async () => {
    const provider = sqlite(join(import.meta.dirname, 'nowhere', 'a.sqlite'))
    await expect(provider.read()).rejects.toMatchObject({
      code: 'STORE',
      message: expect.stringMatching(/folder of the SQLite file .*make it/),
    })
    await provider.close()
  })
})

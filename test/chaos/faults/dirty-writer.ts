// Writes to an SQLite file what spills out of its cache before the transaction ends, and is killed then: dirty-writer.ts <file>
import { openDatabase } from '../../../providers/sqlite/driver.ts'

const database = await openDatabase(process.argv[2] ?? '')
database.exec('PRAGMA busy_timeout = 5000; PRAGMA cache_size = 2; BEGIN IMMEDIATE')
database.exec('UPDATE ticklock SET lock_until = 9e15, last_tick = 9e15')
database.exec('CREATE TABLE half_written (text)')
const insert = database.prepare('INSERT INTO half_written VALUES (?)')
for (let row = 0; row < 500; row++) insert.run('x'.repeat(2_000))
process.kill(process.pid, 'SIGKILL')

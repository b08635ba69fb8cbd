import { DEFAULT_TABLE, quoteTable } from '../../../src/provider/sql.ts'

/**
 * Each grant and each release updates its row. With half of a page left free the new version finds its place on the same page,
 * and no index entry is written; the server removes the old one when it next reads the page. Autovacuum comes for the rest by the number
 * of dead rows alone.
 */
const LOCK_SETTINGS =
  'fillfactor = 40, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0'

/** Sets storage parameters of a table that has none. That waits for no reader or writer, and only the owner of the table can do it. */
export const settingsOf = (quoted: string, settings: string): string => `
  IF EXISTS (SELECT FROM pg_class WHERE oid = '${quoted}'::regclass AND relkind = 'r' AND reloptions IS NULL AND pg_has_role(relowner, 'USAGE')) THEN
    ALTER TABLE ${quoted} SET (${settings});
  END IF;`

/**
 * The statement that makes the table, or adds what an existing table of ShedLock lacks: run it by `setup()`, or paste it into a
 * migration. It may run any number of times, also by many nodes at once, and locks nothing when there is nothing to do.
 *
 * The columns `name`, `lock_until`, `locked_at` and `locked_by` are ShedLock's; ShedLock never writes the others.
 *
 * @param table the table's name, with or without a schema @default 'ticklock'
 * @throws {InvalidOptionError} for a name of anything but letters, digits and underscores.
 */
export function postgresSetup(table: string = DEFAULT_TABLE): string {
  const quoted = quoteTable(table, '"')
  return `
DO $ticklock$
DECLARE
  narrow record;
BEGIN
  -- CREATE TABLE IF NOT EXISTS fails with duplicate keys in pg_type when several sessions run it at once: let them take turns.
  PERFORM pg_advisory_xact_lock(hashtextextended('ticklock setup', 0));

  -- Every time is in UTC. The last tick is a timestamp like the others for people to read; a tick has whole milliseconds.
  IF to_regclass('${quoted}') IS NULL THEN
    CREATE TABLE ${quoted} (
      name varchar(255) NOT NULL PRIMARY KEY,
      lock_until timestamp NOT NULL,
      locked_at timestamp NOT NULL,
      locked_by varchar(255) NOT NULL,
      fencing_token bigint NOT NULL DEFAULT 0,
      last_tick timestamp(3),
      tick_done boolean NOT NULL DEFAULT false,
      metadata text,
      paused boolean NOT NULL DEFAULT false
    );
  END IF;

  -- What follows asks first: even an ALTER TABLE that does nothing waits for every reader of the table, and holds up the next ones.
  IF 5 > (
    SELECT count(*) FROM pg_attribute
    WHERE attrelid = '${quoted}'::regclass AND attname IN ('fencing_token', 'last_tick', 'tick_done', 'metadata', 'paused')
  ) THEN
    ALTER TABLE ${quoted}
      ADD COLUMN IF NOT EXISTS fencing_token bigint NOT NULL DEFAULT 0,
      ADD COLUMN IF NOT EXISTS last_tick timestamp(3),
      ADD COLUMN IF NOT EXISTS tick_done boolean NOT NULL DEFAULT false,
      ADD COLUMN IF NOT EXISTS metadata text,
      ADD COLUMN IF NOT EXISTS paused boolean NOT NULL DEFAULT false;
  END IF;

  -- A time with a zone would be read and written in the zone of each session.
  IF EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = '${quoted}'::regclass AND attname IN ('lock_until', 'locked_at') AND atttypid <> 'timestamp'::regtype
  ) THEN
    RAISE EXCEPTION 'ticklock: lock_until and locked_at of ${table} must be of the type timestamp without time zone';
  END IF;

  -- Many tables of ShedLock have varchar(64) and timestamp(3). A name that is too long would fail a whole batch, and a time that
  -- is rounded up keeps a lock half a millisecond longer. No such change rewrites the table.
  FOR narrow IN
    SELECT attname, CASE atttypid WHEN 'varchar'::regtype THEN 'varchar(255)' ELSE 'timestamp' END AS wide
    FROM pg_attribute
    WHERE attrelid = '${quoted}'::regclass AND (
      attname IN ('name', 'locked_by') AND atttypid = 'varchar'::regtype AND atttypmod BETWEEN 0 AND 258
      OR attname IN ('lock_until', 'locked_at') AND atttypmod BETWEEN 0 AND 5
    )
  LOOP
    EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE %s', '${quoted}', narrow.attname, narrow.wide);
  END LOOP;
${settingsOf(quoted, LOCK_SETTINGS)}
END
$ticklock$`.trim()
}

/* The statements of the run history: two tables beside the locks, times in ms since the epoch. */

import type { HistoryQuery } from '../../../src/provider/history.ts'
import {
  conditionsOf,
  END_COLUMNS,
  ENTRY_COLUMNS,
  historyTables,
  NODE_COLUMNS,
} from '../../../src/provider/history-sql.ts'
import { DEFAULT_TABLE, quoteTable } from '../../../src/provider/sql.ts'
import { settingsOf } from './setup.ts'

const NOW = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint'
const ALL = [...ENTRY_COLUMNS, 'changed_at'].join(', ')

export type HistoryStatements = ReturnType<typeof historyStatements>

export function historyStatements(entries: string, nodes: string) {
  return {
    /** $1 text, of JSON: a list of entries, each a list in the order of the columns. As jsonb it would be encoded once more by some clients. */
    write: `
      INSERT INTO ${entries} AS h (${ALL})
      SELECT
        e->>0, e->>1, e->>2, e->>3, e->>4, (e->>5)::bigint, (e->>6)::bigint, (e->>7)::float8, (e->>8)::bigint, e->>9, e->>10, ${NOW}
      FROM jsonb_array_elements($1::text::jsonb) AS e
      ON CONFLICT (id) DO UPDATE SET ${[...END_COLUMNS, 'changed_at'].map((name) => `${name} = excluded.${name}`)}
      WHERE excluded.outcome <> 'running'`,
    /** $1 to $5: a node, in the order of the columns. */
    writeNode: `
      INSERT INTO ${nodes} (${NODE_COLUMNS}, seen_at) VALUES ($1, $2::bigint, $3::bigint, $4::int, $5::smallint, ${NOW})
      ON CONFLICT (label) DO UPDATE SET ${[...NODE_COLUMNS.slice(1), 'seen_at'].map((name) => `${name} = excluded.${name}`)}`,
    read(query: HistoryQuery) {
      const conditions = conditionsOf(query)
      const where = conditions.map(({ sql }, index) => `${sql} $${index + 2}`).join(' AND ') || 'true'
      const text = `SELECT ${ALL} FROM ${entries} WHERE ${where} ORDER BY happened_at DESC LIMIT $1::int`
      return { text, values: [query.limit, ...conditions.map(({ value }) => value)] }
    },
    /** $1 text[] jobs, $2 int how many of each. */
    latest: `
      SELECT h.* FROM unnest($1::text[]) AS asked (job) CROSS JOIN LATERAL (
        SELECT ${ALL} FROM ${entries} e WHERE e.job = asked.job AND outcome <> 'skipped' ORDER BY happened_at DESC LIMIT $2::int
      ) h`,
    nodes: `SELECT ${NODE_COLUMNS}, seen_at FROM ${nodes}`,
    /** $1 float8 ms, $2 int how many to keep. Answers how many were dropped. */
    trim: `
      WITH dropped AS (
        DELETE FROM ${entries} WHERE changed_at < ${NOW} - $1::float8
          OR changed_at <= (SELECT changed_at FROM ${entries} ORDER BY changed_at DESC LIMIT 1 OFFSET $2::int)
        RETURNING 1
      )
      SELECT count(*) AS dropped FROM dropped`,
    /** $1 float8 ms. */
    trimNodes: `DELETE FROM ${nodes} WHERE seen_at < ${NOW} - $1::float8`,
  }
}

/**
 * The statement that makes the tables of the run history: run it by `history.setup()`, or paste it into a migration. It may run any number of times, also by
 * many nodes at once.
 *
 * @param table the name of the table of locks, with or without a schema @default 'ticklock'
 * @throws {InvalidOptionError} for a name of anything but letters, digits and underscores, at most 55.
 */
export function postgresHistorySetup(table: string = DEFAULT_TABLE): string {
  const tables = historyTables(table) ?? { entries: `${table}_history`, nodes: `${table}_nodes` }
  const entries = quoteTable(tables.entries, '"')
  const nodes = quoteTable(tables.nodes, '"')
  return `
DO $ticklock$
BEGIN
  -- As for the table of locks: several sessions at once take turns.
  PERFORM pg_advisory_xact_lock(hashtextextended('ticklock setup', 0));

  -- Times are ms since the epoch.
  IF to_regclass('${entries}') IS NULL THEN
    CREATE TABLE ${entries} (
      id varchar(64) NOT NULL PRIMARY KEY,
      job varchar(255) NOT NULL,
      node varchar(255) NOT NULL,
      kind varchar(20) NOT NULL,
      outcome varchar(20) NOT NULL,
      scheduled_at bigint NOT NULL,
      happened_at bigint NOT NULL,
      duration double precision,
      fencing_token bigint,
      reason text,
      error text,
      changed_at bigint NOT NULL
    );
    CREATE INDEX ON ${entries} (job, happened_at);
    CREATE INDEX ON ${entries} (happened_at);
    CREATE INDEX ON ${entries} (outcome, happened_at);
    CREATE INDEX ON ${entries} (changed_at);
  END IF;
  IF to_regclass('${nodes}') IS NULL THEN
    CREATE TABLE ${nodes} (
      label varchar(255) NOT NULL PRIMARY KEY,
      started_at bigint NOT NULL,
      skew bigint NOT NULL,
      running integer NOT NULL,
      stopped smallint NOT NULL,
      seen_at bigint NOT NULL
    );
  END IF;
${settingsOf(entries, 'autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0')}
${settingsOf(nodes, 'fillfactor = 40')}
END
$ticklock$`.trim()
}

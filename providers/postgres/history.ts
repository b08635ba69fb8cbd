import type { RunHistory } from '../../src/provider/history.ts'
import {
  type EntryRow,
  entryValues,
  historyTables,
  type NodeRow,
  nodeValues,
  toEntry,
  toNode,
} from '../../src/provider/history-sql.ts'
import { quoteTable } from '../../src/provider/sql.ts'
import { historyStatements, postgresHistorySetup } from './statements/history.ts'

type Query = (text: string, values?: unknown[]) => Promise<readonly unknown[]>

/** Keeps history in two tables beside the table of locks. Undefined for a table whose name is too long. */
export function postgresHistory(table: string, query: Query): RunHistory | undefined {
  const tables = historyTables(table)
  if (!tables) return undefined
  const sql = historyStatements(quoteTable(tables.entries, '"'), quoteTable(tables.nodes, '"'))
  return {
    async write(entries, node) {
      if (entries.length > 0) await query(sql.write, [JSON.stringify(entries.map(entryValues))])
      if (node) await query(sql.writeNode, nodeValues(node))
    },
    async read(asked) {
      const { text, values } = sql.read(asked)
      return ((await query(text, values)) as EntryRow[]).map(toEntry)
    },
    async latest(jobs, count) {
      return ((await query(sql.latest, [jobs, count])) as EntryRow[]).map(toEntry)
    },
    async nodes() {
      const rows = (await query(sql.nodes)) as NodeRow[]
      return rows.map(toNode).sort((a, b) => (a.label < b.label ? -1 : 1))
    },
    async trim({ olderThanMs, most }) {
      const [row] = (await query(sql.trim, [olderThanMs, most])) as { readonly dropped: unknown }[]
      await query(sql.trimNodes, [olderThanMs])
      return Number(row?.dropped)
    },
    async setup() {
      await query(postgresHistorySetup(table))
    },
  }
}

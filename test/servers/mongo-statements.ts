/**
 * The commands that DocumentDB answers with a BSON document: each takes the database's name and the command, and answers
 * `p_result`. `p_success` is false when that holds write errors.
 */
const call = (name: string, result: string): string =>
  `SELECT ${result} FROM documentdb_api.${name}($1, $2::documentdb_core.bson)`
const firstPage = (name: string): string => call(`${name}_cursor_first_page`, 'cursorpage AS p_result')

export const STATEMENTS: Readonly<Record<string, string>> = {
  // The procedures commit each write of a batch on its own, as MongoDB does. The functions of the same names keep the locks
  // of a whole batch to its end, so two batches in different orders are in each other's way for minutes.
  insert: 'CALL documentdb_api.insert_bulk($1, $2::documentdb_core.bson)',
  update: 'CALL documentdb_api.update_bulk($1, $2::documentdb_core.bson)',
  delete: call('delete', 'p_result, p_success'),
  findAndModify: call('find_and_modify', 'p_result, p_success'),
  find: firstPage('find'),
  aggregate: firstPage('aggregate'),
  listCollections: firstPage('list_collections'),
  listIndexes: firstPage('list_indexes'),
  count: call('count_query', 'document AS p_result'),
  distinct: call('distinct_query', 'document AS p_result'),
  // Builds the index before it answers, as MongoDB does; the public function leaves that to a job that runs every 2 s.
  createIndexes:
    'SELECT documentdb_api_internal.create_indexes_non_concurrently($1, $2::documentdb_core.bson, true) AS p_result',
}

/** Within a transaction nothing is committed on its own. */
export const STATEMENTS_IN_TRANSACTION: typeof STATEMENTS = {
  ...STATEMENTS,
  insert: call('insert', 'p_result, p_success'),
  update: call('update', 'p_result, p_success'),
}

/** The commands that need no more answer than that they are done. They take the database's name and the collection's. */
export const ACTIONS: Readonly<Record<string, string>> = {
  create: 'SELECT documentdb_api.create_collection($1, $2)',
  drop: 'SELECT documentdb_api.drop_collection($1, $2)',
  dropDatabase: 'SELECT documentdb_api.drop_database($1) WHERE $2::text IS NOT NULL',
}

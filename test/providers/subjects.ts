/* Every provider on every store, for tests that are the same on all of them. */
import { inject } from 'vitest'
import type { ConformanceSubject } from '../../src/testing/index.ts'
import type { StoreKind } from '../simulation/stores/index.ts'
import { exactDynamodbSubject } from './dynamodb-subject.ts'
import { exactEtcdSubject } from './etcd-subject.ts'
import { httpSubject } from './http-subject.ts'
import { memorySubject } from './memory-subject.ts'
import { mongodbSubject } from './mongodb-subject.ts'
import { mysqlSubject } from './mysql-harness.ts'
import { natsSubject } from './nats-subject.ts'
import { pgliteSubject } from './pglite-subject.ts'
import { postgresSubject } from './postgres-subject.ts'
import { redisSubject } from './redis-subject.ts'
import { sqliteSubject } from './sqlite-subject.ts'
import { contendedSubject, lossySubject } from './versioned/faulty-subject.ts'
import { exactZooKeeperSubject } from './zookeeper-subject.ts'

export interface NamedSubject {
  readonly name: string
  /** The model that it has to be like. */
  readonly kind: StoreKind
  /** Why it can't be tested here, if it can't. */
  readonly why: string | undefined
  /** @param table where there are tables: one for each test, or they would meet */
  subject(table: string): ConformanceSubject
}

const servers = inject('servers')

const onServer = (
  name: keyof typeof servers,
  kind: StoreKind,
  subject: (url: string, table: string) => ConformanceSubject,
): NamedSubject => {
  const server = servers[name]
  if ('url' in server) return { name, kind, why: undefined, subject: (table) => subject(server.url, table) }
  return { name, kind, why: server.unavailable, subject: (table) => subject('', table) }
}

const here = (name: string, kind: StoreKind, subject: () => ConformanceSubject): NamedSubject => ({
  name,
  kind,
  why: undefined,
  subject,
})

export const subjects: readonly NamedSubject[] = [
  onServer('postgres', 'postgres', (url, table) => postgresSubject('postgres', url, table)),
  onServer('mysql', 'mysql', (url) => mysqlSubject('mysql', url)),
  onServer('mariadb', 'mysql', (url) => mysqlSubject('mariadb', url)),
  onServer('mongodb', 'mongodb', mongodbSubject),
  onServer('redis', 'redis', (url) => redisSubject('redis', url, url)),
  onServer('redis-sentinel', 'redis', (url) => redisSubject('redis-sentinel', url, url)),
  onServer('redis-cluster', 'redis', (url) => redisSubject('redis-cluster', url, url)),
  onServer('dynamodb', 'memory', exactDynamodbSubject),
  onServer('etcd', 'memory', exactEtcdSubject),
  onServer('nats', 'memory', (url) => natsSubject(url)),
  onServer('zookeeper', 'memory', exactZooKeeperSubject),
  here('pglite', 'postgres', pgliteSubject),
  here('sqlite', 'sqlite', sqliteSubject),
  here('memory', 'memory', memorySubject),
  here('http', 'memory', () => httpSubject(memorySubject(), 1)),
  here('versioned', 'postgres', contendedSubject),
]

/** Those, and what is right only while one client at a time does something. */
export const subjectsInTurn: readonly NamedSubject[] = [...subjects, here('versioned-lossy', 'postgres', lossySubject)]

import type { ProvidedContext } from 'vitest'

/** Where examples and code blocks find their stores: the environment to run them in, and the stores there are no servers for. */
export function storeEnvironment(servers: ProvidedContext['servers']): {
  readonly environment: NodeJS.ProcessEnv
  readonly missing: readonly string[]
} {
  // The AWS SDK warns on Node 20 that its later versions need another.
  const environment: NodeJS.ProcessEnv = { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' }
  const missing: string[] = []
  const stores = {
    postgres: ['postgres'],
    mysql: ['mysql', 'mariadb'],
    mongodb: ['mongodb'],
    redis: ['redis'],
    'redis-quorum': ['redis-quorum'],
    dynamodb: ['dynamodb'],
    etcd: ['etcd'],
    nats: ['nats'],
    zookeeper: ['zookeeper'],
  } as const
  for (const [store, names] of Object.entries(stores)) {
    const found = names.map((name) => servers[name]).find((server) => 'url' in server)
    if (found && 'url' in found) environment[`${store.toUpperCase().replace('-', '_')}_URL`] = found.url
    else missing.push(store)
  }
  return { environment, missing }
}

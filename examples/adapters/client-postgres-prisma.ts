// npm install @prisma/client @prisma/adapter-pg, then: npx tsx examples/adapters/client-postgres-prisma.ts
// Start it in two terminals at once: they share the store, and each tick runs in one of them.
import { PrismaPg } from '@prisma/adapter-pg'
import { Scheduler } from 'ticklock'
import { fromPrisma } from 'ticklock/clients'
import { postgres } from 'ticklock/postgres'
import { PrismaClient } from './prisma/client.ts' // in an app: the folder that `prisma generate` writes to

const connectionString = process.env.POSTGRES_URL ?? 'postgres://localhost/postgres'
const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString }) })
const provider = postgres(fromPrisma(prisma))
await provider.setup()
const scheduler = new Scheduler({ provider })
scheduler.job({ name: 'example:client-postgres-prisma.ts', every: '1s', lockAtMostFor: '10s' }, ({ scheduledAt }) => {
  console.log(`tick ${scheduledAt.toISOString()}`)
})
await scheduler.start()
console.log('ready')

process.once('SIGTERM', async () => {
  await scheduler.stop() // leaves the app's own client open
  await prisma.$disconnect()
})

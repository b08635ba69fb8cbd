/* What `ticklock init` writes. */

/** The example, with this store. */
export const exampleConfig = (
  store: string,
): string => `# yaml-language-server: $schema=./node_modules/ticklock/config.schema.json
#
# Jobs that run once in a cluster. Start "ticklock run" on as many machines (or in as many terminals) as you like: of each tick of each job, one of them
# runs it. All options: docs/config.md of the package

# Where the locks are. Machines that share jobs share this. A SQLite file is for the processes of one machine.
#   \${DATABASE_URL}                       a variable of the environment; \${DATABASE_URL:-sqlite:./ticklock.sqlite} has a default
#   postgres://user:password@host/app     also mysql://, mongodb://, redis://, redis+sentinel://, dynamodb://, etcd://, nats://, zookeeper://
store: ${store}

# What every job has unless it says otherwise.
defaults:
  lockAtMostFor: 1m # when a machine crashes, its job is blocked for at most so long
  keepAlive: true # renew the lock while the job runs, however long that is

jobs:
  # A line of shell, every ten seconds.
  - name: heartbeat
    description: shows that ticklock runs
    every: 10s
    shell: echo "tick $TICKLOCK_SCHEDULED_AT runs in process $PPID"

  # A program with arguments, without a shell. Every night at two in Berlin, summer and winter.
  - name: nightly-backup
    enabled: false
    cron: 0 2 * * *
    timezone: Europe/Berlin
    exec: [./backup.sh, --full]
    timeout: 2h
    catchUp: latest # all machines were off at two? run it when one is back

  # A request. Anything but a status of 200 to 299 is a failure.
  - name: refresh-cache
    enabled: false
    cron: "*/15 * * * *"
    http:
      url: https://example.com/internal/refresh
      method: POST
      headers:
        authorization: Bearer \${REFRESH_TOKEN:-none}

  # An exported function of a file, TypeScript too. It gets { name, scheduledAt, fencingToken, signal, logger, … }.
  #- name: report
  #  cron: "@daily"
  #  module: ./jobs/report.ts#run
`

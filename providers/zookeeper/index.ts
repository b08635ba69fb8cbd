export type { ZooKeeperClient } from './driver.ts'
export { type ZooKeeperOptions, zookeeper } from './zookeeper.ts'

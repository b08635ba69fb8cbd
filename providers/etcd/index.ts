export { type EtcdOptions, etcd } from './etcd.ts'

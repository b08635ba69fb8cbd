export { type NatsConnectionLike, type NatsOptions, nats } from './nats.ts'

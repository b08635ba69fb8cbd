export {
  type Config,
  type DefaultsConfig,
  defineConfig,
  type HttpConfig,
  type HttpStatus,
  type JobConfig,
  type RunConfig,
  type StoreConfig,
  type StoreOptionsConfig,
} from './config.ts'

export { kubernetes } from './kubernetes.ts'
export type { KubeConfig, KubernetesOptions } from './options.ts'

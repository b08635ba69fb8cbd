export { dynamodb } from './dynamodb.ts'
export type { DynamoClient, DynamodbOptions } from './options.ts'

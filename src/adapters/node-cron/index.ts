export { type CoordinatorOptions, type RunCoordinator, ticklockCoordinator } from './coordinator.ts'
export { locked } from './locked.ts'

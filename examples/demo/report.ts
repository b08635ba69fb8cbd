/** What a node tells the demo while it runs. */
export interface Report {
  readonly event: string
  readonly node: string
  readonly job?: string | undefined
  readonly tick?: number | undefined
  readonly kind?: string | undefined
  readonly reason?: string | undefined
  readonly heldBy?: string | undefined
}

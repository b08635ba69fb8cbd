/** What only ticklock itself needs: the tokens of its page and of `ticklock serve`, and the URL of its store. */
const OWN = ['TICKLOCK_HTTP_TOKEN', 'TICKLOCK_SERVE_TOKEN', 'TICKLOCK_STORE']

/** The environment of a command: this one without ticklock's own secrets, and without those variables. */
export function childEnvironment(
  environment: NodeJS.ProcessEnv,
  withheld: Iterable<string> = [],
): Record<string, string | undefined> {
  const rest = { ...environment }
  for (const name of [...OWN, ...withheld]) delete rest[name]
  return rest
}

/** The names of the variables, beside ticklock's own, whose value is the URL of a store: it may hold a password that jobs have no use for. */
export const namesOfStoreUrls = (
  environment: NodeJS.ProcessEnv,
  stores: readonly { readonly options: { readonly url: string } }[],
): string[] =>
  Object.entries(environment)
    .filter(([name, value]) => !OWN.includes(name) && stores.some(({ options }) => options.url === value))
    .map(([name]) => name)

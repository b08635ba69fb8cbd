import { maskedUrls } from './mask.ts'

/** Shorter ones are found in URLs only: `a` would be found everywhere. */
const LEAST = 4

/**
 * The passwords of the stores in use, so that whatever a driver writes into its errors is shown without them. One that is also a public part of its URL, as
 * in `postgres://postgres:postgres@localhost/postgres`, is hidden in URLs only.
 */
export class Secrets {
  readonly #secrets = new Set<string>()

  /** Learns the password of a URL, and those among its parameters. */
  add(url: string): void {
    const [, user = '', password = '', rest = ''] = /^[a-z][a-z0-9+.-]*:\/\/([^:@/?#]*):(.*)@([^@]*)$/is.exec(url) ?? []
    const parameters = [...url.matchAll(/[?&](?:\w*pass(?:word|phrase)?|pwd|\w*secret|\w*token)=([^&#]+)/gi)]
    for (const secret of [password, ...parameters.map((match) => match[1] ?? '')]) {
      for (const form of [secret, decoded(secret), encodeURIComponent(decoded(secret))]) {
        if (form.length < LEAST || decoded(user) === form || rest.split(/[/:?&=,]/).includes(form)) continue
        this.addToken(form)
      }
    }
  }

  /** Learns a secret as it stands. */
  addToken(secret: string): void {
    if (secret.length < LEAST) return
    this.#secrets.add(secret)
    // As it stands in a line of JSON.
    this.#secrets.add(JSON.stringify(secret).slice(1, -1))
  }

  /** The text without any of them. */
  hide(text: string): string {
    let hidden = text
    // The longer first: one may be a part of another.
    for (const secret of [...this.#secrets].sort((a, b) => b.length - a.length)) {
      if (hidden.includes(secret)) hidden = hidden.replaceAll(secret, '***')
    }
    return hidden.includes('://') ? maskedUrls(hidden) : hidden
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

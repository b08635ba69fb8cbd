/** The colours and styles that the commands use themselves. */
const STYLE = '\\x1b\\[(?:0|1|2|22|3[0-79]|9[0-7])m'
/** All control characters but tab and line feed: C0, DEL and C1. */
const CONTROL = '[\\0-\\x08\\x0b-\\x1f\\x7f-\\x9f]'

const UNSAFE = new RegExp(CONTROL, 'g')
const UNSAFE_BUT_STYLE = new RegExp(`(${STYLE})|${CONTROL}`, 'g')

/**
 * The text without what a terminal would obey. Names, holders, metadata, response bodies and the output of commands come from elsewhere,
 * and all that a command prints passes through here.
 */
export const printable = (text: string, styled: boolean): string =>
  styled ? text.replace(UNSAFE_BUT_STYLE, (_, style?: string) => style ?? '�') : text.replace(UNSAFE, '�')

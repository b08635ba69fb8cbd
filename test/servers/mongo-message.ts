import { BSON } from 'bson'

/** What a driver asked for, off the wire. */
export interface MongoCommand {
  readonly requestId: number
  /** The first key of the document, as in `{ find: 'things' }`. */
  readonly name: string
  /** The value of that key: mostly a collection's name. */
  readonly target: unknown
  readonly database: string
  /** The other keys, without document sequences. */
  readonly document: BSON.Document
  /** The whole command, document sequences included, byte for byte as the driver wrote its parts. */
  readonly bytes: Uint8Array
  /** The form that the reply must have. */
  readonly legacy: boolean
  /** The driver awaits no reply: an unacknowledged write. */
  readonly silent: boolean
}

const OP_REPLY = 1
const OP_QUERY = 2004
const OP_MSG = 2013
const HEADER = 16
const CHECKSUM_PRESENT = 1
const MORE_TO_COME = 2
const BSON_ARRAY = 4
const BSON_DOCUMENT = 3

/** Reads one whole message. @see https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/ */
export function readMessage(message: Buffer): MongoCommand {
  const opcode = message.readInt32LE(12)
  if (opcode === OP_MSG) return readOpMsg(message)
  if (opcode === OP_QUERY) return readOpQuery(message)
  throw new Error(`opcode ${opcode} is not supported`)
}

function readOpMsg(message: Buffer): MongoCommand {
  const flags = message.readUInt32LE(HEADER)
  const end = message.length - (flags & CHECKSUM_PRESENT ? 4 : 0)
  let body: Buffer = Buffer.alloc(0)
  const sequences: Buffer[] = []
  for (let at = HEADER + 4; at < end; ) {
    const kind = message[at++]
    const section = message.subarray(at, at + message.readInt32LE(at))
    if (kind === 0) body = section
    else sequences.push(sequenceAsArray(section))
    at += section.length
  }
  const silent = (flags & MORE_TO_COME) !== 0
  return command(message, body, { bytes: withElements(body, sequences), legacy: false, silent })
}

/** Only a driver's very first hello still comes in this form. */
function readOpQuery(message: Buffer): MongoCommand {
  const afterNamespace = message.indexOf(0, HEADER + 4) + 1
  const body = message.subarray(afterNamespace + 8)
  return command(message, body, { bytes: body, legacy: true, silent: false })
}

function command(message: Buffer, body: Buffer, rest: Pick<MongoCommand, 'bytes' | 'legacy' | 'silent'>): MongoCommand {
  const document = BSON.deserialize(body)
  const [name, target] = Object.entries(document)[0] ?? ['', undefined]
  return {
    requestId: message.readInt32LE(4),
    name,
    target,
    database: String(document.$db ?? 'admin'),
    document,
    ...rest,
  }
}

/** A document sequence (length, name, documents end to end) as an element of the command: an array of that name. */
function sequenceAsArray(section: Buffer): Buffer {
  const afterName = section.indexOf(0, 4) + 1
  const items: Buffer[] = []
  for (let at = afterName, index = 0; at < section.length; index++) {
    const document = section.subarray(at, at + section.readInt32LE(at))
    items.push(Buffer.from([BSON_DOCUMENT]), Buffer.from(`${index}\0`), document)
    at += document.length
  }
  return Buffer.concat([Buffer.from([BSON_ARRAY]), section.subarray(4, afterName), asDocument(items)])
}

function withElements(document: Buffer, elements: readonly Buffer[]): Buffer {
  return elements.length === 0 ? document : asDocument([document.subarray(4, -1), ...elements])
}

function asDocument(elements: readonly Buffer[]): Buffer {
  const content = Buffer.concat(elements)
  const document = Buffer.alloc(content.length + 5)
  document.writeInt32LE(document.length)
  content.copy(document, 4)
  return document
}

/** Writes the reply to a command. */
export function writeReply(to: MongoCommand, reply: Uint8Array): Buffer {
  // OP_REPLY: flags, cursor (8 bytes), starting from, number of documents. OP_MSG: flags, and a section of kind 0.
  const prefix = Buffer.alloc(to.legacy ? 20 : 5)
  if (to.legacy) prefix.writeInt32LE(1, 16)
  const header = Buffer.alloc(HEADER)
  header.writeInt32LE(HEADER + prefix.length + reply.length, 0)
  header.writeInt32LE(to.requestId, 8)
  header.writeInt32LE(to.legacy ? OP_REPLY : OP_MSG, 12)
  return Buffer.concat([header, prefix, reply])
}

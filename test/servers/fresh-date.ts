/*
 * Loaded before a server written in Node.js, which keeps the `Date` of its responses for up to a second, and for longer
 * while it is stopped or busy. DynamoDB reads the clock for each response, and its provider goes by that.
 */
import { ServerResponse } from 'node:http'

const { writeHead } = ServerResponse.prototype

ServerResponse.prototype.writeHead = function (this: ServerResponse, ...args: never) {
  this.setHeader('date', new Date().toUTCString())
  return writeHead.apply(this, args)
}

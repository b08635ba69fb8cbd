#!/usr/bin/env node
import { main } from './main.ts'

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code
  // Whatever a driver may have left open.
  setTimeout(() => process.exit(), 500).unref()
})

/* A headless Chromium: found, or on Debian as root installed. */
import { type Browser, chromium } from 'playwright-core'
import { findOrInstall } from '../servers/find-program.ts'

/** What keeps a browser from asking for anything that is not on this machine. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Rejects with the reason where there is none. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = await findOrInstall('chromium', 'chromium', 'chromium-browser', 'google-chrome')
  return await chromium.launch({ executablePath, args: QUIET })
}

/* Asks for the token, and before what can't be taken back. */
import { setToken } from './api.js'
import { byId } from './dom.js'

/** Opens the dialog; answers what was typed, or undefined when it was cancelled. */
function open(title, text, withToken) {
  const dialog = byId('ask')
  byId('ask-title').textContent = title
  byId('ask-text').textContent = text
  byId('ask-label').hidden = !withToken
  byId('ask-input').value = ''
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise((resolve) => {
    const answer = () => {
      const typed = byId('ask-input').value
      byId('ask-input').value = ''
      resolve(dialog.returnValue === 'ok' ? typed : undefined)
    }
    dialog.addEventListener('close', answer, { once: true })
    byId('ask-cancel').onclick = () => dialog.close('')
    byId('ask-ok').onclick = (event) => {
      event.preventDefault()
      dialog.close('ok')
    }
  })
}

/** Asks for the token and keeps it for this tab. False when none was given. */
export async function askForToken(why) {
  const token = await open('Token', why, true)
  if (!token) return false
  setToken(token.trim())
  return true
}

export const confirmed = async (title, text) => (await open(title, text, false)) !== undefined

/* Signs in with the token, and asks before what can't be undone. */
import { hasToken, setToken } from './api.js'
import { byId } from './dom.js'
import { model } from './model.js'

/** Opens the dialog. Resolves to what was typed, or to undefined when it was cancelled. */
function open({ title, text, ok, withToken }) {
  const dialog = byId('ask')
  byId('ask-title').textContent = title
  byId('ask-text').textContent = text
  byId('ask-ok').textContent = ok
  byId('ask-label').hidden = !withToken
  byId('ask-input').value = ''
  dialog.returnValue = ''
  dialog.showModal()
  return new Promise((resolve) => {
    const onClose = () => {
      const typed = byId('ask-input').value
      byId('ask-input').value = ''
      resolve(dialog.returnValue === 'ok' ? typed : undefined)
    }
    dialog.addEventListener('close', onClose, { once: true })
    byId('ask-cancel').onclick = () => dialog.close('')
    byId('ask-ok').onclick = (event) => {
      event.preventDefault()
      dialog.close('ok')
    }
  })
}

/** Asks for the token and keeps it for this tab. False when none was given. */
export async function signIn(why) {
  let text = why
  for (;;) {
    const typed = await open({ title: 'Sign in', text, ok: 'Sign in', withToken: true })
    const token = typed?.trim()
    if (!token) return false
    if (/^[\x20-\x7e]+$/.test(token)) {
      setToken(token)
      return true
    }
    text = 'That is no token: a token has letters, digits and signs of ASCII only.'
  }
}

export const confirmed = async (title, text, ok) => (await open({ title, text, ok, withToken: false })) !== undefined

/** The button that signs in and out. */
export function showAccess() {
  const button = byId('access')
  button.hidden = !model.canAct
  button.textContent = hasToken() ? 'Sign out' : 'Sign in'
}

export function followAccess() {
  byId('access').addEventListener('click', async () => {
    if (hasToken()) setToken(undefined)
    else await signIn('The token lets you trigger, pause, resume and unlock jobs. It stays in this tab.')
    showAccess()
  })
}

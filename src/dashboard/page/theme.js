/* Light, dark, or as the system has it. */
import { byId } from './dom.js'

const KEY = 'ticklock-theme'
const THEMES = ['auto', 'light', 'dark']
const dark = matchMedia('(prefers-color-scheme: dark)')

const chosen = () => localStorage.getItem(KEY) ?? 'auto'

/** Applies the theme that was chosen last, and follows the button and the system. `onChange`: colours have changed. */
export function followTheme(onChange) {
  const apply = () => {
    byId('theme').textContent = `Theme: ${chosen()}`
    document.documentElement.dataset.theme = chosen() === 'auto' ? (dark.matches ? 'dark' : 'light') : chosen()
    onChange()
  }
  dark.addEventListener('change', apply)
  byId('theme').addEventListener('click', () => {
    localStorage.setItem(KEY, THEMES[(THEMES.indexOf(chosen()) + 1) % THEMES.length])
    apply()
  })
  apply()
}

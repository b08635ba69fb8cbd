import { attack } from './attack.ts'
import { mutants } from './mutants.ts'

const only = process.argv[2] ?? ''
const queue = mutants.filter(({ name, rule }) => (rule + name).includes(only))
const worker = async () => {
  for (let m = queue.shift(); m; m = queue.shift()) {
    const t = Date.now()
    try {
      const c = await attack(m, m.seed, 0)
      if (c) {
        console.log('ok', m.name, JSON.stringify(c), Date.now() - t)
        continue
      }
      const d = await attack(m, 1, 60)
      console.log('MOVED', m.name, 'from', m.seed, 'to', JSON.stringify(d), Date.now() - t)
    } catch (e) {
      console.log('ERROR', m.name, String(e).slice(0, 300))
    }
  }
}
await Promise.all([worker(), worker()])
console.log('done')

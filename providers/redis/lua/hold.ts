/* What the holder of a lease does with it. The same decisions as decideExtend and decideRelease in src/provider/decide.ts. */
import { RELEASED } from '../../../src/provider/holder.ts'

/**
 * Terms: lockAtMostFor (ms), lockAtLeastFor (ms), mayShortenUntil (µs, or '-'). Replies the record, or '' when this owner has no unexpired lease.
 */
export const EXTEND = /* lua */ `
return for_each(function(record, holder, terms)
  if not record or record.holder ~= holder or record.lock_until <= now then
    return ''
  end
  local at_most, at_least, may_shorten_until = string.match(terms, '^([^ ]+) ([^ ]+) ([^ ]+)$')
  local lock_until = lease_end(math.max(now + at_most * 1000, record.locked_at + at_least * 1000))
  local may_shorten = now <= (tonumber(may_shorten_until) or 0)
  set_end(record, may_shorten and lock_until or math.max(lock_until, record.lock_until))
  return text_of(record), record
end)
`

/** Terms: lockAtLeastFor (ms), tick (ms, or '-'). Replies 1, or 0 when this owner has no unexpired lease. */
export const RELEASE = /* lua */ `
return for_each(function(record, holder, terms)
  local released = holder .. '${RELEASED}'
  local was_released = record and record.holder == released
  if not record or not was_released and record.holder ~= holder then
    return 0
  end
  local at_least, tick = string.match(terms, '^([^ ]+) ([^ ]+)$')
  local ends_tick = not record.done and record.last_tick and record.last_tick == tonumber(tick)
  if ends_tick then
    set_tick(record, record.tick, true)
  end
  -- The run has ended, so its tick is done, also when its lease is over.
  if was_released or record.lock_until <= now then
    return was_released and 1 or 0, ends_tick and record or nil
  end
  record.holder = released
  set_end(record, lease_end(math.max(now, record.locked_at + at_least * 1000)))
  return 1, record
end)
`

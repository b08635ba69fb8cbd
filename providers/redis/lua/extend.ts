/*
 * Extends leases. The same decisions as decideExtend in src/provider/decide.ts.
 *
 *   KEYS      for each request: lock key, state key
 *   ARGV      for each request: holder, lockAtMostFor (ms), lockAtLeastFor (ms), mayShortenUntil (microseconds, or '')
 *   answers   now, then for each request the record, or false when this owner has no unexpired lease
 */
export const EXTEND = /* lua */ `
require_master(KEYS[2])
local now = clock()
return for_each(now, function(lock_key, state_key, index)
  local holder = told(index, 1)
  local at_most, at_least = tonumber(told(index, 2)) * 1000, tonumber(told(index, 3)) * 1000
  local may_shorten_until = tonumber(told(index, 4))
  local record = load(lock_key, state_key, now)
  if not is_of(record, holder) or record.lock_until <= now then
    return false
  end
  local may_shorten = may_shorten_until and now <= may_shorten_until
  local asked_for = end_of_ms(math.max(now + at_most, record.locked_at + at_least))
  record.lock_until = may_shorten and asked_for or math.max(asked_for, record.lock_until)
  put(lock_key, record, now)
  save(state_key, record, now)
  return fields(record)
end)
`

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
local answers = { digits(now) }
for index = 1, #KEYS / 2 do
  local lock_key, state_key = KEYS[index * 2 - 1], KEYS[index * 2]
  local holder = told(index, 1)
  local at_most, at_least = tonumber(told(index, 2)) * 1000, tonumber(told(index, 3)) * 1000
  local may_shorten_until = tonumber(told(index, 4))
  local record = load(lock_key, state_key, now)
  if record and record.locked_by == holder and not record.foreign and record.lock_until > now then
    local may_shorten = may_shorten_until and now <= may_shorten_until
    local asked_for = end_of_ms(math.max(now + at_most, record.locked_at + at_least))
    record.lock_until = may_shorten and asked_for or math.max(asked_for, record.lock_until)
    redis.call('HSET', state_key, 'lock_until', digits(record.lock_until))
    put(lock_key, record, now)
    keep(state_key, record, now, record)
    answers[index + 1] = fields(record)
  else
    answers[index + 1] = false
  end
end
return answers
`

/*
 * Frees locks whoever has them. Fencing token and last tick stay.
 *
 *   KEYS      for each name: lock key, state key
 *   answers   now, then for each name 1, or 0 when nobody had it
 */
export const FORCE_RELEASE = /* lua */ `
require_master(KEYS[2])
local now = clock()
local answers = { digits(now) }
for index = 1, #KEYS / 2 do
  local lock_key, state_key = KEYS[index * 2 - 1], KEYS[index * 2]
  local record = load(lock_key, state_key, now)
  local held = record and record.lock_until > now
  if held then
    redis.call('DEL', lock_key)
    if redis.call('EXISTS', state_key) == 1 then
      redis.call('HSET', state_key, 'lock_until', digits(now))
    end
  end
  answers[index + 1] = held and 1 or 0
end
return answers
`

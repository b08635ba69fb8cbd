/*
 * Gives locks back. The same decisions as decideRelease in src/provider/decide.ts. The key is deleted, or kept for what is left of
 * lockAtLeastFor; the state remembers who released.
 *
 *   KEYS      for each request: lock key, state key
 *   ARGV      for each request: holder, lockAtLeastFor (ms), tick (ms, or '')
 *   answers   now, then for each request 1 (freed, now or before) or 0 (this owner has no unexpired lease)
 */
export const RELEASE = /* lua */ `
-- The lock keys to delete, by one command for all.
local freed_keys = {}

local function release(lock_key, state_key, record, released, at_least, tick, now)
  record.locked_by = released
  local kept_until = record.locked_at + at_least
  record.lock_until = kept_until > now and end_of_ms(kept_until) or now
  local until_text = digits(record.lock_until)
  if tick and record.last_tick and tick == tonumber(record.last_tick) then
    redis.call('HSET', state_key, 'locked_by', released, 'lock_until', until_text, 'tick_done', '1')
  else
    redis.call('HSET', state_key, 'locked_by', released, 'lock_until', until_text)
  end
  if record.lock_until > now then
    put(lock_key, record, now)
  else
    held_by[lock_key] = false
    freed_keys[#freed_keys + 1] = lock_key
  end
  keep(state_key, record, now, record)
end

require_master(KEYS[2])
look_up_holders()
local now = clock()
local answers = { digits(now) }
for index = 1, #KEYS / 2 do
  local lock_key, state_key = KEYS[index * 2 - 1], KEYS[index * 2]
  local holder = told(index, 1)
  local released = released_by(holder)
  local record = load(lock_key, state_key, now, true)
  local freed = 0
  if record and record.locked_by == released then
    freed = 1
  elseif record and record.locked_by == holder and not record.foreign and record.lock_until > now then
    release(lock_key, state_key, record, released, tonumber(told(index, 2)) * 1000, tonumber(told(index, 3)), now)
    freed = 1
  end
  answers[index + 1] = freed
end
if #freed_keys > 0 then
  redis.call('DEL', unpack(freed_keys))
end
return answers
`

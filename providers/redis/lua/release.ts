/*
 * Gives locks back. The same decisions as decideRelease in src/provider/decide.ts. The key is deleted, or kept for what is left of
 * lockAtLeastFor; the state remembers who released.
 *
 *   KEYS      for each request: lock key, state key
 *   ARGV      for each request: holder, lockAtLeastFor (ms), tick (ms, or '')
 *   answers   now, then for each request 1 (freed, now or before) or 0 (this owner has no unexpired lease)
 */
export const RELEASE = /* lua */ `
local function release(lock_key, state_key, record, released, at_least, tick, now)
  record.locked_by = released
  local kept_until = record.locked_at + at_least
  record.lock_until = kept_until > now and end_of_ms(kept_until) or now
  record.tick_done = record.tick_done or tick and record.last_tick and tick == tonumber(record.last_tick)
  if record.lock_until > now then
    put(lock_key, record, now)
  else
    free(lock_key)
  end
  save(state_key, record, now)
end

require_master(KEYS[2])
local now = clock()
return for_each(now, function(lock_key, state_key, index)
  local holder = told(index, 1)
  local released = released_by(holder)
  local record = load(lock_key, state_key, now, true)
  if record and record.locked_by == released then
    return 1
  end
  if not is_of(record, holder) or record.lock_until <= now then
    return 0
  end
  release(lock_key, state_key, record, released, tonumber(told(index, 2)) * 1000, tonumber(told(index, 3)), now)
  return 1
end)
`

/*
 * Pauses names, or resumes them: then their ticks up to now are over. The same decisions as decidePause in src/provider/decide.ts.
 *
 *   KEYS      for each name: lock key, state key
 *   ARGV      for each name: '1' to pause, '' to resume
 *   answers   now, then for each name 1 when that changed something, else 0
 */
export const PAUSE = /* lua */ `
require_master(KEYS[2])
local now = clock()
return for_each(now, function(lock_key, state_key, index)
  local wanted = told(index, 1) == '1'
  local record = load(lock_key, state_key, now)
  if wanted == (record ~= nil and record.paused) then
    return 0
  end
  -- A name that only others have locked has no state yet.
  local since = record and 0 or now
  local state = record_of(load_state(state_key)) or
    { locked_by = '', locked_at = since, lock_until = since, fencing_token = 0, last_tick = false, tick_done = false, metadata = false }
  state.paused = wanted
  local passed = math.floor(now / 1000)
  if not wanted and not (state.last_tick and tonumber(state.last_tick) >= passed) then
    state.last_tick, state.tick_done = digits(passed), true
  end
  save(state_key, state, now)
  return 1
end)
`

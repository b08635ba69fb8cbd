/*
 * Frees locks whoever has them. Fencing token and last tick stay.
 *
 *   KEYS      for each name: lock key, state key
 *   answers   now, then for each name 1, or 0 when nobody had it
 */
export const FORCE_RELEASE = /* lua */ `
require_master(KEYS[2])
local now = clock()
return for_each(now, function(lock_key, state_key)
  local record = load(lock_key, state_key, now)
  if not record or record.lock_until <= now then
    return 0
  end
  free(lock_key)
  -- Of a lock of others the record tells who has it, and the state is ours.
  local state = record_of(load_state(state_key))
  if state then
    state.lock_until = now
    save(state_key, state, now)
  end
  return 1
end)
`

/*
 * Pauses names, or resumes them: then their ticks up to now are over. The same decisions as decidePause in src/provider/decide.ts.
 *
 *   KEYS      for each name: lock key, state key
 *   ARGV      for each name: '1' to pause, '' to resume
 *   answers   now, then for each name 1 when that changed something, else 0
 */
export const PAUSE = /* lua */ `
local function resume(state_key, record, now)
  local passed = math.floor(now / 1000)
  redis.call('HDEL', state_key, 'paused')
  if not record.last_tick or tonumber(record.last_tick) < passed then
    redis.call('HSET', state_key, 'last_tick', digits(passed), 'tick_done', '1')
  end
end

local function pause(state_key, record, now)
  if not record then
    redis.call('HSET', state_key, 'locked_at', digits(now), 'lock_until', digits(now))
  end
  -- A name that only ShedLock has locked has no state yet.
  redis.call('HSETNX', state_key, 'locked_by', '')
  redis.call('HSET', state_key, 'paused', '1')
end

require_master(KEYS[2])
local now = clock()
local answers = { digits(now) }
for index = 1, #KEYS / 2 do
  local lock_key, state_key = KEYS[index * 2 - 1], KEYS[index * 2]
  local wanted = told(index, 1) == '1'
  local record = load(lock_key, state_key, now)
  local changed = wanted ~= (record ~= nil and record.paused)
  if changed then
    if wanted then
      pause(state_key, record, now)
    else
      resume(state_key, record, now)
    end
    redis.call('PERSIST', state_key)
  end
  answers[index + 1] = changed and 1 or 0
end
return answers
`

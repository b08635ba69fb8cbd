/* What people and programs do to records without holding a lock. */

/** Replies the record, or '' when there is none. Also on a replica, since nothing is decided by it. */
export const READ = /* lua */ `
return for_each(function(record)
  return record and text_of(record) or ''
end, true)
`

/** Frees locks whoever has them. Replies 1, or 0 when nobody had it. */
export const FORCE_RELEASE = /* lua */ `
return for_each(function(record)
  if not record or record.lock_until <= now then
    return 0
  end
  set_end(record, now)
  return 1, record
end)
`

/** Terms: maxClockSkew (ms), and the present (ms), or '-' for the clock. A last tick further in the future becomes the present, done. Replies 1 when it was, else 0. */
export const RESET = /* lua */ `
return for_each(function(record, _, terms)
  local skew, present = string.match(terms, '^([^ ]+) ([^ ]+)$')
  if not record or not record.last_tick or record.last_tick * 1000 <= now + skew * 1000 then
    return 0
  end
  set_tick(record, present == '-' and digits(math.floor(now / 1000)) or present, true)
  return 1, record
end)
`

/** Terms: '1' to pause, '0' to resume; then the ticks up to now are over. As decidePause in src/provider/decide.ts. Replies 1 when that changed something, else 0. */
export const PAUSE = /* lua */ `
return for_each(function(record, _, terms)
  local paused = terms == '1'
  if paused == (record and record.paused or false) then
    return 0
  end
  record = record or { lock_until = now, locked_at = now, fencing_token = 0, tick = '-', holder = '-', metadata = '', vote = '' }
  record.paused, record.text = paused, nil
  local passed = math.floor(now / 1000)
  if not paused and not (record.last_tick and record.last_tick >= passed) then
    set_tick(record, digits(passed), true)
  end
  return 1, record
end)
`

/** Terms: an age (ms). Deletes records that have been free, and whose last tick has been past, for as long. Replies 1 for one that was, else 0. */
export const PRUNE = /* lua */ `
local unused = {}
local replies = for_each(function(record, _, age, key)
  local last_used = record and math.max(record.lock_until, (record.last_tick or 0) * 1000)
  if not record or record.paused or last_used >= now - age * 1000 then
    return 0
  end
  unused[#unused + 1] = key
  return 1
end)
if #unused > 0 then
  redis.call('DEL', unpack(unused))
end
return replies
`

/**
 * Replaces what is no record. KEYS[1] is the key; ARGV are the mark in the reply 'unreadable', and the new string, or '' to delete the key. Replies 1, or 0 when the
 * key holds something else by now.
 */
export const REPAIR = /* lua */ `
local kind = redis.call('TYPE', KEYS[1]).ok
local mark = kind == 'string' and redis.sha1hex(redis.call('GET', KEYS[1])) or kind
if mark ~= ARGV[1] then
  return 0
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2])
end
return 1
`

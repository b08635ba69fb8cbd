/*
 * What every script on records begins with. The scripts stand as strings in modules, not in .lua files, so that a service bundled into one file (esbuild,
 * webpack) still has them.
 *
 * A record is one string under one key, without expiry:
 *
 *   v1 <lock_until> <locked_at> <fencing_token> <last_tick> <flags> <locked_by>[ <metadata>]
 *
 *     lock_until, locked_at   µs since the epoch, whole numbers: exact as doubles up to the year 2255
 *     last_tick               ms since the epoch, or '-' when no tick was ever granted
 *     flags                   'd' the tick is done, 'p' paused, 'v' an open vote of a quorum; '-' for none of them
 *     locked_by               '-' when nobody ever held it
 *
 * In locked_by and metadata '%', space and newline are written %25, %20 and %0A. On a server of a quorum a second line follows, see ../quorum/lua.ts:
 *
 *   <ballot> <last_tick before the vote> <'d' when that was done, or '-'>
 *
 * KEYS are the records of the requests, and after them ShedLock's keys where locks are shared with it; a name may occur more than once. ARGV are the terms of
 * the requests, or one for all of them, and then, in some scripts, who makes each request. A script returns the clock, then its reply for each request, or
 * 'unreadable <which key> <mark> <what it holds>' for one whose key holds something else.
 */
import { SHEDLOCK } from './shedlock.ts'

const RECORDS = /* lua */ `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- tostring() would round a time in microseconds to 14 digits. Most numbers of a batch are the same few times.
local written = {}
local function digits(number)
  local text = written[number]
  if not text then
    text = string.format('%.0f', number)
    written[number] = text
  end
  return text
end

-- What a key holds: a string, or false for nothing; and the type of what is no string.
local texts, wrong_types = {}, {}

local function look_up()
  local keys = {}
  for _, key in ipairs(KEYS) do
    if texts[key] == nil then
      texts[key] = false
      keys[#keys + 1] = key
    end
  end
  local missing = {}
  for index, text in ipairs(redis.call('MGET', unpack(keys))) do
    local key = keys[index]
    texts[key] = text
    if not text then
      missing[#missing + 1] = key
    end
  end
  -- MGET shows a list or a hash as if there were nothing.
  if #missing == 0 or redis.call('EXISTS', unpack(missing)) == 0 then
    return
  end
  for _, key in ipairs(missing) do
    local kind = redis.call('TYPE', key).ok
    wrong_types[key] = kind ~= 'none' and kind or nil
  end
end

local LAST_TIME, LAST_TICK, LAST_TOKEN = 8640000000000000000, 8640000000000000, 9007199254740990

-- The record in a string, or nil when it is none.
local function parse(text)
  local lock_until, locked_at, token, tick, flags, holder, metadata, vote =
    string.match(text, '^v1 (%d+) (%d+) (%d+) ([^ ]+) ([dpv-]+) ([^ \\n]+)( ?[^ \\n]*)(.*)$')
  if not lock_until or vote ~= '' and string.byte(vote) ~= 10 then
    return nil
  end
  local has_flags = flags ~= '-'
  local record = {
    text = text,
    lock_until = tonumber(lock_until),
    locked_at = tonumber(locked_at),
    fencing_token = tonumber(token),
    tick = tick,
    last_tick = tonumber(tick),
    done = has_flags and string.find(flags, 'd', 1, true) ~= nil,
    paused = has_flags and string.find(flags, 'p', 1, true) ~= nil,
    open = has_flags and string.find(flags, 'v', 1, true) ~= nil,
    holder = holder,
    metadata = metadata,
    vote = vote,
  }
  local is_tick = tick == '-' or record.last_tick and math.abs(record.last_tick) <= LAST_TICK
  if record.lock_until > LAST_TIME or record.locked_at > LAST_TIME or record.fencing_token > LAST_TOKEN or not is_tick then
    return nil
  end
  return record
end

-- Where a record and its reply begin: all but the holder and what follows.
local function head_of(record)
  local flags = (record.done and 'd' or '') .. (record.paused and 'p' or '') .. (record.open and 'v' or '')
  return 'v1 ' .. digits(record.lock_until) .. ' ' .. digits(record.locked_at) .. ' ' .. digits(record.fencing_token) .. ' '
    .. record.tick .. ' ' .. (flags == '' and '-' or flags) .. ' '
end

local function text_of(record)
  record.text = record.text or head_of(record) .. record.holder .. record.metadata .. record.vote
  return record.text
end

local function set_tick(record, tick, done)
  record.tick, record.last_tick, record.done, record.text = tick, tonumber(tick), done, nil
end

local function set_end(record, lock_until)
  record.lock_until, record.text = lock_until, nil
end

-- A vote that lapsed unconfirmed leaves nothing of its tick.
local function without_vote(record)
  local tick, done = string.match(record.vote, ' ([^ ]+) ([^ ]+)$')
  set_tick(record, tick or '-', done == 'd')
end

-- The records by key as far as they were parsed, and those to be written.
local records, changed = {}, {}

local function record_at(key)
  local record = records[key]
  if not record and texts[key] then
    record = parse(texts[key])
    if record and record.open and record.lock_until <= now then
      without_vote(record)
    end
    records[key] = record
  end
  return record
end

local function unreadable(which, key)
  local text = texts[key]
  local mark = text and redis.sha1hex(text) or wrong_types[key]
  return 'unreadable ' .. which .. ' ' .. mark .. ' ' .. string.sub(text or '', 1, 10000)
end
`

const DECIDE = (shared: boolean) => /* lua */ `
local count = #KEYS${shared ? ' / 2' : ''}
local has_own_terms = #ARGV > count + 1

-- Decides each request, and writes what has changed by one command. 'decide' gets the record or nil, who makes the request, its terms and the record's key. It
-- returns the reply, and the new record where that has changed. Where nothing has changed, a write that changes nothing proves that a master decides: a
-- replica, or a master without min-replicas-to-write, would refuse from data that may be old.
local function for_each(decide, only_reads)
  look_up()
  local replies = { digits(now) }
  for index = 1, count do
    local key = KEYS[index]
    local record = record_at(key)
    if wrong_types[key] or texts[key] and not record then
      replies[index + 1] = unreadable(1, key)
${
  shared
    ? `    elseif wrong_types[KEYS[count + index]] then
      replies[index + 1] = unreadable(2, KEYS[count + index])
`
    : ''
}    else
      local who, next = ARGV[#ARGV - count + index], nil
${
  shared
    ? `      record = seen_with_shedlock(record, KEYS[count + index])
      -- Nobody's here, whatever it says: the record that belongs to it is gone.
      who = not (record and record.is_foreign) and who or ''
`
    : ''
}      replies[index + 1], next = decide(record, who, ARGV[has_own_terms and index or 1], key)
      if next then
        records[key], changed[key] = next, next
${shared ? '        tell_shedlock(KEYS[count + index], next)\n' : ''}      end
    end
  end
  local writes = {}
  for key, record in pairs(changed) do
    writes[#writes + 1] = key
    writes[#writes + 1] = text_of(record)
  end
  if #writes > 0 then
    redis.call('MSET', unpack(writes))
  elseif not only_reads then
    for index = 1, count do
      if not wrong_types[KEYS[index]] then
        redis.call('PERSIST', KEYS[index])
        break
      end
    end
  end
  return replies
end
`

const OWN = /* lua */ `
local function lease_end(time)
  return time
end
`

export const BATCH = RECORDS + OWN + DECIDE(false)
/** The same, where ShedLock's keys say who holds a lock, too. */
export const BATCH_WITH_SHEDLOCK = RECORDS + SHEDLOCK + DECIDE(true)

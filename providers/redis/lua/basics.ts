/*
 * What every script begins with. The scripts stand as text in modules, not in .lua files, so that a service bundled into one file (esbuild,
 * webpack) still has them.
 *
 * In the scripts' own descriptions "ARGV" are the fields that `told` answers. Times are whole microseconds since the epoch: exact as doubles up to the
 * year 2255, where fractions of milliseconds are not.
 */
export const BASICS = /* lua */ `
-- What the requests are told besides their keys. ARGV[1] has a letter for each field: '1' when it is the same for all requests and comes once, or '-'.
-- What comes once comes first, in order; the other fields follow, for each request.
local FIELDS = #(ARGV[1] or '')
local same_for_all, place, own_fields, before_own = {}, {}, 0, 1
for field = 1, FIELDS do
  if string.sub(ARGV[1], field, field) == '1' then
    before_own = before_own + 1
    same_for_all[field] = ARGV[before_own]
  else
    own_fields = own_fields + 1
    place[field] = own_fields
  end
end

local function told(index, field)
  return same_for_all[field] or ARGV[before_own + (index - 1) * own_fields + place[field]]
end

-- A thousand years and more from now, yet still a date in JavaScript: the end of a key that has no expiry.
local FOREVER = 8640000000000000000
local DAY_MS = 24 * 60 * 60 * 1000

-- Numbers are written out in full: tostring() would round a time in microseconds to 14 digits. Most of those of a batch are the same few times, and
-- writing one out takes longer than most commands.
local written_out = {}
local function digits(number)
  local text = written_out[number]
  if not text then
    text = string.format('%.0f', number)
    written_out[number] = text
  end
  return text
end

-- What 'locked_by' says after its holder has released.
local function released_by(holder)
  return holder .. '#released'
end

local function clock()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- The end of the millisecond in which a time lies. Leases end there (and are so up to 1 ms longer than asked for), since
-- keys do: one that has expiry E is there through all of millisecond E.
local function end_of_ms(time)
  return (math.floor(time / 1000) + 1) * 1000
end

-- Reads into 'texts' each second key, beginning at 'first', by one command for all; false where there is nothing, or no string. Keys don't change, nor
-- expire, while a script runs.
local function look_up(texts, first)
  local keys = {}
  for index = first, #KEYS, 2 do
    -- A name may occur more often than unpack() takes.
    if texts[KEYS[index]] == nil then
      texts[KEYS[index]] = false
      keys[#keys + 1] = KEYS[index]
    end
  end
  for index, text in ipairs(redis.call('MGET', unpack(keys))) do
    texts[keys[index]] = text
  end
end
`

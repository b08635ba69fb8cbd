/*
 * What the scripts of one server become when several independent servers decide together. A grant of one of them is a vote until it is confirmed, see state.ts.
 *
 * A vote that lapses unconfirmed leaves no trace of its tick. That forgets nothing: a grant that was ever used is confirmed on a majority
 * of the servers, and these refuse the tick; a vote that was not confirmed here was one too many, or of nobody's grant.
 */
import { DECIDE_ACQUIRE } from '../lua/acquire.ts'
import { EXTEND } from '../lua/extend.ts'
import { FORCE_RELEASE } from '../lua/force-release.ts'
import { PRUNE } from '../lua/prune.ts'
import { READ } from '../lua/read.ts'
import { RECORD } from '../lua/record.ts'
import { RELEASE } from '../lua/release.ts'
import { type Script, script } from '../scripts.ts'
import { STATE_WITH_VOTES } from './state.ts'

/** Takes the place of `load` and `fields` for the scripts that follow. A record is answered as it is without the tick of an open vote. */
const VOTES = /* lua */ `
local load_lease, lease_fields = load, fields

local function without_vote(record)
  record.last_tick, record.tick_done = record.prior_tick, record.prior_done
end

load = function(lock_key, state_key, now)
  local record = load_lease(lock_key, state_key, now)
  if not record then
    return nil
  end
  local vote = redis.call('HMGET', state_key, 'pending', 'ballot', 'prior_tick', 'prior_done')
  record.pending, record.ballot = vote[1] == '1', vote[2]
  record.prior_tick, record.prior_done = vote[3], vote[4] == '1'
  if record.pending and record.lock_until <= now then
    without_vote(record)
  end
  return record
end

fields = function(record)
  if record.pending then
    without_vote(record)
  end
  local answer = lease_fields(record)
  for index = 1, 7 do
    answer[index] = answer[index] or false -- nil would end the list
  end
  answer[8] = record.pending and 1 or 0
  return answer
end
`

/*
 * Asks one server for its votes. ARGV as in lua/acquire.ts, and for each request the ballot after it. Answers now, then for each request
 * { 'granted' | 'held' | 'tick-taken' | 'clock-ahead', record or false, 1 when the refusal rests on an open vote only }.
 */
const VOTE = /* lua */ `
${DECIDE_ACQUIRE}

-- What a request is refused for, and whether that may yet come to nothing.
local function refused(record, request, now, ours)
  if not record or not record.pending or ours then
    return refusal(record, request, now, ours), false
  end
  local last_tick, tick_done = record.last_tick, record.tick_done
  without_vote(record)
  local settled = refusal(record, request, now, ours)
  record.last_tick, record.tick_done = last_tick, tick_done
  if settled == 'clock-ahead' or settled == 'tick-taken' then
    return settled, false
  end
  local reason = refusal(record, request, now, ours)
  return reason, reason ~= nil
end

local function vote(lock_key, state_key, record, request, ballot, now)
  local prior_tick, prior_done = record and record.last_tick, record and record.tick_done
  local granted = grant(lock_key, state_key, record, request, now)
  redis.call('HSET', state_key, 'pending', '1', 'ballot', ballot, 'prior_done', prior_done and '1' or '0')
  set(state_key, 'prior_tick', prior_tick)
  granted.pending, granted.prior_tick, granted.prior_done = true, prior_tick, prior_done
  return granted
end

require_master(KEYS[2])
local now = clock()
return for_each(now, function(lock_key, state_key, index)
  local request, ballot = request_at(index), told(index, FIELDS)
  local record = load(lock_key, state_key, now)
  local ours = is_of(record, request.holder)
  if ours and record.lock_until > now then
    -- The same vote once more. A confirmed one stays that of the ballot which confirmed it.
    if record.pending then
      redis.call('HSET', state_key, 'ballot', ballot)
    end
    return { 'granted', fields(record), 0 }
  end
  local reason, open = refused(record, request, now, ours)
  if reason then
    return { reason, record and fields(record) or false, open and 1 or 0 }
  end
  return { 'granted', fields(vote(lock_key, state_key, record, request, ballot, now)), 0 }
end)
`

/*
 * Makes a vote a grant: writes the token that the majority agreed on. Only where the vote is still the one that was answered, which its
 * token tells, or was confirmed with this token before; whether it has lapsed meanwhile does not matter, since nobody else was granted
 * anything here.
 *
 *   ARGV      for each name: holder, ballot, the token that was answered, the token agreed on
 *   answers   now, then for each name 1, or 0 when there is another holder or another vote
 */
const CONFIRM = /* lua */ `
require_master(KEYS[2])
return for_each(clock(), function(_, state_key, index)
  local holder, ballot, answered, agreed = told(index, 1), told(index, 2), told(index, 3), told(index, 4)
  local state = redis.call('HMGET', state_key, 'locked_by', 'fencing_token', 'pending')
  if state[1] ~= holder or state[2] ~= answered and state[2] ~= agreed then
    return 0
  end
  redis.call('HSET', state_key, 'fencing_token', agreed, 'pending', '0')
  if state[3] == '1' then
    redis.call('HSET', state_key, 'ballot', ballot)
  end
  return 1
end)
`

/*
 * Takes votes back, confirmed or not, as if they had not been given; only the token stays used.
 *
 *   ARGV      for each name: holder, ballot
 *   answers   now, then for each name 1, or 0 when there was no such vote
 */
const WITHDRAW = /* lua */ `
require_master(KEYS[2])
local now = clock()
return for_each(now, function(lock_key, state_key, index)
  local record = load(lock_key, state_key, now)
  local given = is_of(record, told(index, 1)) and record.ballot == told(index, 2)
  if not given then
    return 0
  end
  without_vote(record)
  record.lock_until = math.min(record.lock_until, now)
  free(lock_key)
  save(state_key, record, now)
  redis.call('HSET', state_key, 'pending', '0')
  redis.call('HDEL', state_key, 'ballot')
  return 1
end)
`

const ofVotes = (...bodies: readonly string[]): Script => script(STATE_WITH_VOTES, RECORD, ...bodies)

export const quorumScripts = {
  vote: ofVotes(VOTES, VOTE),
  confirm: ofVotes(CONFIRM),
  withdraw: ofVotes(VOTES, WITHDRAW),
  extend: ofVotes(VOTES, EXTEND),
  release: ofVotes(VOTES, RELEASE),
  read: ofVotes(VOTES, READ),
  forceRelease: ofVotes(VOTES, FORCE_RELEASE),
  prune: ofVotes(VOTES, PRUNE),
}

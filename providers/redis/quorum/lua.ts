/*
 * What the scripts of one server need beside them when several independent servers decide together. A grant of one server is a vote until it is confirmed. Its record
 * has the flag 'v' until then, and a second line with the ballot and what the last tick was before, see ../lua/batch.ts.
 *
 * A vote that expires unconfirmed leaves nothing of its tick. That forgets nothing: a grant that was ever used is confirmed on a majority
 * of the servers, and these refuse the tick; a vote that was not confirmed here was one too many, or of nobody's grant.
 */
import { DECIDE_ACQUIRE } from '../lua/acquire.ts'
import { BATCH } from '../lua/batch.ts'
import { type Script, script, scripts } from '../scripts.ts'

/**
 * Terms as in lua/acquire.ts; who: holder and ballot. Replies 'granted' or why not, 'open' or 'settled', and the record. A refusal is open when it rests on the open
 * vote of another, and may yet come to nothing.
 */
const VOTE = /* lua */ `
${DECIDE_ACQUIRE}
local function vote_line(ballot, record)
  return '\\n' .. ballot .. ' ' .. (record and record.tick or '-') .. ' ' .. (record and record.done and 'd' or '-')
end

-- Why the request would be refused without the open vote of another, or nil.
local function refusal_without_vote(record, holder, terms)
  local tick, done = record.tick, record.done
  without_vote(record)
  local reason = refusal(record, holder, terms)
  set_tick(record, tick, done)
  return reason
end

return for_each(function(record, who, terms_text)
  local holder, ballot = string.match(who, '^([^ ]+) (.*)$')
  local terms = terms_in(terms_text)
  if record and record.holder == holder and record.lock_until > now then
    -- The same vote once more. A confirmed one stays that of the ballot which confirmed it.
    if not record.open then
      return 'granted settled ' .. text_of(record)
    end
    record.vote, record.text = string.gsub(record.vote, '^\\n[^ ]+', '\\n' .. ballot), nil
    return 'granted open ' .. text_of(record), record
  end
  if record and record.open and record.lock_until > now then
    local settled = refusal_without_vote(record, holder, terms)
    if settled == 'clock-ahead' or settled == 'tick-taken' then
      return settled .. ' settled ' .. text_of(record)
    end
    return refusal(record, holder, terms) .. ' open ' .. text_of(record)
  end
  local reason = refusal(record, holder, terms)
  if reason then
    return reason .. ' settled ' .. (record and text_of(record) or '')
  end
  local vote = grant(record, holder, terms)
  vote.open, vote.vote = true, vote_line(ballot, record)
  return 'granted open ' .. text_of(vote), vote
end)
`

/**
 * Makes a vote a grant: writes the token that the majority agreed on. Only where the vote is still the one that was answered, which its
 * token tells, or was confirmed with this token before. Repeats of an acquisition, which may have other majorities, get no second token so. Whether it has expired meanwhile does not matter, since nobody else was granted
 * anything here. Who: holder, ballot, the token that was answered, the token agreed on. Replies 1, or 0 when there is another holder or another vote.
 */
const CONFIRM = /* lua */ `
return for_each(function(record, who, _, key)
  local holder, ballot, answered, agreed = string.match(who, '^([^ ]+) ([^ ]+) (%d+) (%d+)$')
  -- As it stands there: with the tick of its vote, expired or not.
  record = record and parse(texts[key])
  if not record or record.holder ~= holder or record.fencing_token ~= tonumber(record.open and answered or agreed) then
    return 0
  end
  if record.open then
    record.open, record.vote = false, string.gsub(record.vote, '^\\n[^ ]+', '\\n' .. ballot)
  end
  record.fencing_token, record.text = tonumber(agreed), nil
  return 1, record
end)
`

/** Takes votes back, confirmed or not, as if they had not been given; only the token stays used. Who: holder, ballot. Replies 1, or 0 when there was no such vote. */
const WITHDRAW = /* lua */ `
return for_each(function(record, who)
  local holder, ballot = string.match(who, '^([^ ]+) (.*)$')
  if not record or record.holder ~= holder or string.match(record.vote, '^\\n([^ ]+)') ~= ballot then
    return 0
  end
  without_vote(record)
  set_end(record, math.min(record.lock_until, now))
  record.open, record.vote = false, ''
  return 1, record
end)
`

const ofVotes = (body: string): Script => script(BATCH, body)

export const quorumScripts = { ...scripts, vote: ofVotes(VOTE), confirm: ofVotes(CONFIRM), withdraw: ofVotes(WITHDRAW) }

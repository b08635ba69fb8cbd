import { RELEASED } from '../../../src/provider/holder.ts'
/** What the terms of an acquisition say, why it is refused, and what a grant writes. The same decisions as decideAcquire in src/provider/decide.ts. */
export const DECIDE_ACQUIRE = /* lua */ `
local known_terms, parsed_terms

-- lockAtMostFor (ms), tick (ms, or '-'), '1' to rerun a crashed tick or '-', maxClockSkew (ms), and a space and the metadata where there is one.
local function terms_in(text)
  if text ~= known_terms then
    local at_most, tick, rerun, skew, metadata = string.match(text, '^([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+)(.*)$')
    known_terms = text
    parsed_terms = {
      at_most = at_most * 1000,
      tick_text = tick,
      tick = tonumber(tick),
      reruns = rerun == '1',
      skew = skew * 1000,
      metadata = metadata,
    }
  end
  return parsed_terms
end

-- Why a request is refused, or nil.
local function refusal(record, holder, terms)
  local tick = terms.tick
  if tick and tick * 1000 > now + terms.skew then
    return 'clock-ahead'
  end
  if not record then
    return nil
  end
  if tick and record.paused then
    return 'paused'
  end
  if tick and record.last_tick and tick <= record.last_tick then
    -- An expired tick that nobody finished may run again if the job wants that. Its own owner repeats the request because it never got the response.
    local unfinished = tick == record.last_tick and not record.done and record.lock_until <= now
    if not (unfinished and (terms.reruns or record.holder == holder)) then
      return 'tick-taken'
    end
  end
  -- A late duplicate of an acquisition that was granted and released: nobody waits for its response.
  if record.lock_until > now or record.holder == holder .. '${RELEASED}' then
    return 'held'
  end
  return nil
end

local function grant(record, holder, terms)
  return {
    lock_until = lease_end(now + terms.at_most),
    locked_at = now,
    -- The clock keeps tokens growing when the record was lost, the last token when the clock went back.
    fencing_token = math.max((record and record.fencing_token or 0) + 1, now),
    tick = terms.tick and terms.tick_text or record and record.tick or '-',
    last_tick = terms.tick or record and record.last_tick,
    done = not terms.tick and record and record.done,
    paused = record and record.paused,
    holder = holder,
    metadata = terms.metadata,
    vote = '',
  }
end
`

/** Replies 'granted', 'rerun' or 'repeated' and the head of the record; or the reason of the refusal and the record, if there is one. */
export const ACQUIRE = /* lua */ `
${DECIDE_ACQUIRE}
return for_each(function(record, holder, terms_text)
  local terms = terms_in(terms_text)
  local ours = record and record.holder == holder
  -- This owner was granted the lock before and the response was lost: the same grant once more.
  if ours and record.lock_until > now then
    return 'repeated ' .. head_of(record)
  end
  local reason = refusal(record, holder, terms)
  if reason then
    return reason .. ' ' .. (record and text_of(record) or '')
  end
  local reruns = record and not ours and terms.tick and terms.tick == record.last_tick
  local next = grant(record, holder, terms)
  local head = head_of(next)
  next.text = head .. next.holder .. next.metadata
  return (reruns and 'rerun ' or 'granted ') .. head, next
end)
`

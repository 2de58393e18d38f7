-- KEYS from 9: what the idempotency key stands for, tenant's threads.
-- ARGV from 9: owner, strategy, digest of the request ('' without an idempotency key), ms to remember it, member of
-- the tenant's threads ('': a stateless run's, which is not listed), graph, then field, value, … of the run.
-- Returns {outcome, seq before the run, run id}; outcome is started, queued, repeated, conflict, busy, deleting or
-- forbidden.
local owner, strategy, digest = ARGV[9], ARGV[10], ARGV[11]
local known_owner = redis.call('HGET', at.thread, 'owner')
if known_owner and known_owner ~= owner then
  return {'forbidden', 0, ''}
end
-- The client sends again when the reply was lost.
if redis.call('EXISTS', at.run) == 1 then
  return {'repeated', tonumber(redis.call('HGET', at.run, 'seq_before')), at.run_id}
end
if digest ~= '' then
  local known = redis.call('GET', KEYS[9])
  if known then
    local run_id, same = string.match(known, '^(%S+) (%S+)$')
    local seq = redis.call('HGET', at.run_prefix .. run_id, 'seq_before')
    -- A run that was deleted or undone may be asked for again; a stateless one goes by itself, and was not undone.
    if seq or ARGV[13] == '' then
      return {same == digest and 'repeated' or 'conflict', tonumber(seq or '0'), run_id}
    end
  end
end
local seq = tonumber(redis.call('HGET', at.thread, 'seq') or '0')
local active = active_run()
if active == 'deleting' then
  return {'deleting', seq, ''}
end
if active ~= '' and strategy == 'reject' then
  return {'busy', seq, active}
end

if digest ~= '' then
  redis.call('SET', KEYS[9], at.run_id .. ' ' .. digest, 'PX', ARGV[12])
end
-- The removal of an earlier thread of this id has set its end, which may not come while runs write under it.
redis.call('PERSIST', at.fence)
if not known_owner then
  redis.call('HSET', at.thread, 'owner', owner, 'created', at.now, 'seq', 0)
end
redis.call('HSET', at.run, 'status', 'pending', 'attempts', 0, 'seq_before', seq, 'created', at.now, unpack(rest(15)))
redis.call('ZADD', at.runs, at.now, at.run_id)
redis.call('HSET', at.thread, 'updated', at.now, 'assistant', ARGV[14])
if ARGV[13] ~= '' then
  redis.call('ZADD', KEYS[10], at.now, ARGV[13])
end

-- A run that never began is replaced here and now; one that works is told, and ends by itself.
local function replace(run_id)
  if strategy == 'rollback' then
    forget_run(run_id)
    return
  end
  local body = redis.call('HGET', at.run_prefix .. run_id, 'replaced')
  end_run(run_id, 'interrupted', 'run_replaced', 'a newer message took its place')
  log_events({'lifecycle', '', '', (string.gsub(body, '"timestamp":0', '"timestamp":' .. at.now, 1))})
end

if active ~= '' and (strategy == 'interrupt' or strategy == 'rollback') then
  for _, waiting in ipairs(redis.call('LRANGE', at.pending, 0, -1)) do
    replace(waiting)
  end
  redis.call('DEL', at.pending)
  if redis.call('HGET', at.run_prefix .. active, 'status') == 'pending' then
    redis.call('INCR', at.fence)
    replace(active)
    active = ''
  else
    -- What was to be undone is not brought back by a message that came later.
    if redis.call('HGET', at.run_prefix .. active, 'cancel') ~= 'rollback' then
      redis.call('HSET', at.run_prefix .. active, 'cancel', strategy == 'rollback' and 'rollback' or 'replace')
    end
    redis.call('PUBLISH', at.cancel_channel, redis.call('HGET', at.run_prefix .. active, 'cancel') .. ' ' .. active)
  end
end
if active ~= '' then
  redis.call('RPUSH', at.pending, at.run_id)
  return {'queued', seq, at.run_id}
end
-- Events of runs older than the age go; one in flight is never among them, since none is active here.
local young = redis.call('ZRANGEBYSCORE', at.runs, tonumber(at.now) - tonumber(at.age), '+inf', 'LIMIT', 0, 1)[1]
local from = tonumber(redis.call('HGET', at.run_prefix .. young, 'seq_before')) + 1
redis.call('XTRIM', at.stream, 'MINID', string.format('%.0f-0', from))
activate(at.run_id, redis.call('HGET', at.thread, 'seq') or '0')
return {'started', seq, at.run_id}

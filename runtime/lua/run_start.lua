-- KEYS: thread, run, pending, runs.
-- ARGV: owner, run id, strategy, now, then field, value, … of the run.
-- Returns {outcome, seq before the run, active run}; outcome is started, queued, repeated, busy or forbidden.
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner and owner ~= ARGV[1] then
  return {'forbidden', 0, ''}
end
-- The client sends again when the reply was lost.
if redis.call('EXISTS', KEYS[2]) == 1 then
  return {'repeated', tonumber(redis.call('HGET', KEYS[2], 'seq_before')), redis.call('HGET', KEYS[1], 'active') or ''}
end
local seq = tonumber(redis.call('HGET', KEYS[1], 'seq') or '0')
local active = redis.call('HGET', KEYS[1], 'active') or ''
if active ~= '' and ARGV[3] == 'reject' then
  return {'busy', seq, active}
end
if not owner then
  redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'created', ARGV[4], 'seq', 0)
end
redis.call('HSET', KEYS[2], 'status', 'pending', 'attempts', 0, 'seq_before', seq, unpack(rest(5)))
redis.call('ZADD', KEYS[4], ARGV[4], ARGV[2])
redis.call('HSET', KEYS[1], 'updated', ARGV[4])
if active ~= '' then
  redis.call('RPUSH', KEYS[3], ARGV[2])
  return {'queued', seq, active}
end
redis.call('HSET', KEYS[1], 'active', ARGV[2], 'status', 'busy', 'run_seq', seq)
return {'started', seq, ARGV[2]}

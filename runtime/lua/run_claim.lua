-- KEYS: fence, thread, run, stream. ARGV: run id, worker, now, channel, kept, the event that says it runs.
-- Returns {0, 0, 0} when there is nothing to run, else {fence, claims, attempts}: an orderly release gives its
-- attempt back, so that restarts do not use them up.
local status = redis.call('HGET', KEYS[3], 'status') or ''
if (status ~= 'pending' and status ~= 'running') or redis.call('HGET', KEYS[2], 'active') ~= ARGV[1] then
  return {0, 0, 0}
end
local fence = redis.call('INCR', KEYS[1])
local claims = redis.call('HINCRBY', KEYS[3], 'claims', 1)
local attempts = redis.call('HINCRBY', KEYS[3], 'attempts', 1)
redis.call('HSET', KEYS[3], 'status', 'running', 'worker', ARGV[2], 'fence', fence)
if claims == 1 then
  redis.call('HSET', KEYS[3], 'started', ARGV[3])
  append_events(KEYS[2], KEYS[4], ARGV[4], ARGV[5], rest(6))
end
return {fence, claims, attempts}

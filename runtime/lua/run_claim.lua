-- ARGV from 9: worker, the event that says it runs.
-- Returns {0} when there is nothing to run, else {fence, claims, attempts, the run's fields and values}: an orderly
-- release gives its attempt back, so that restarts do not use them up.
local status = redis.call('HGET', at.run, 'status') or ''
if (status ~= 'pending' and status ~= 'running') or active_run() ~= at.run_id then
  return {0}
end
local fence = redis.call('INCR', at.fence)
redis.call('PERSIST', at.fence)
local claims = redis.call('HINCRBY', at.run, 'claims', 1)
local attempts = redis.call('HINCRBY', at.run, 'attempts', 1)
redis.call('HSET', at.run, 'status', 'running', 'worker', ARGV[9], 'fence', fence)
if claims == 1 then
  redis.call('HSET', at.run, 'started', at.now)
  local body = string.gsub(redis.call('HGET', at.run, 'running'), '"timestamp":0', '"timestamp":' .. at.now, 1)
  log_events({'lifecycle', '', '', body})
end
return {fence, claims, attempts, redis.call('HGETALL', at.run)}

-- KEYS: fence, thread, run, pending, stream.
-- ARGV: fence, now, run status, thread status, error code, error message, channel, kept, events.
-- Returns the run that is active now or '', or false when the fence is stale.
if tonumber(ARGV[1]) < tonumber(redis.call('GET', KEYS[1]) or '0') then
  return false
end
if redis.call('HGET', KEYS[3], 'status') ~= 'running' then
  return redis.call('HGET', KEYS[2], 'active') or ''
end
return settle_run(KEYS[2], KEYS[3], KEYS[4], KEYS[5], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6],
  ARGV[7], ARGV[8], rest(9))

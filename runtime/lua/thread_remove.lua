-- KEYS: fence, thread, pending, runs, stream, idempotency keys, tenant's threads.
-- ARGV: member of the tenant's threads, prefix of run keys, ms for which stale writers are still refused.
-- Returns 0 while a run is in flight, else 1.
if (redis.call('HGET', KEYS[2], 'active') or '') ~= '' then
  return 0
end
for _, run_id in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do
  redis.call('DEL', ARGV[2] .. run_id)
end
redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6])
redis.call('ZREM', KEYS[7], ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('INCR', KEYS[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1

-- Included after append_events. KEYS: fence, thread, pending, runs, stream, tenant's threads.
-- ARGV: thread id, prefix of run keys, ms for which stale writers are still refused, live channel.
-- Takes away what thread_mark has marked, and nothing that came to be under the same id since.
if redis.call('HGET', KEYS[2], 'active') ~= 'deleting' then
  return
end
local owner = redis.call('HGET', KEYS[2], 'owner')
for _, run_id in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do
  redis.call('DEL', ARGV[2] .. run_id)
end
redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
redis.call('ZREM', KEYS[6], owner .. '\0' .. ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('INCR', KEYS[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
-- Whoever follows the thread looks at it when a batch is empty, and finds that it is gone.
publish(ARGV[4], 0, {})

-- KEYS: thread. ARGV: status, now, interrupts asked ('': as they were). Returns 1, or 0 for a thread that is gone or
-- that a run is changing: what was seen of it is no longer so.
local row = redis.call('HMGET', KEYS[1], 'owner', 'active')
if not row[1] or (row[2] or '') ~= '' then
  return 0
end
redis.call('HSET', KEYS[1], 'status', ARGV[1], 'updated', ARGV[2])
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[1], 'asked', ARGV[3])
end
return 1

-- KEYS: fence, thread, stream. ARGV: fence, batch, channel, kept, events. Returns the last seq, or -1 when the writer
-- is stale or the thread was deleted.
if tonumber(ARGV[1]) < tonumber(redis.call('GET', KEYS[1]) or '0') or redis.call('EXISTS', KEYS[2]) == 0 then
  return -1
end
-- The client resends a batch whose reply was lost.
if redis.call('HGET', KEYS[2], 'batch') == ARGV[2] then
  return tonumber(redis.call('HGET', KEYS[2], 'seq'))
end
redis.call('HSET', KEYS[2], 'batch', ARGV[2])
return append_events(KEYS[2], KEYS[3], ARGV[3], ARGV[4], rest(5))

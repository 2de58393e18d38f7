-- KEYS: thread. ARGV: owner, now, metadata, graph or ''. Returns 1 when it is new.
if redis.call('HSETNX', KEYS[1], 'owner', ARGV[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'created', ARGV[2], 'updated', ARGV[2], 'metadata', ARGV[3])
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[1], 'assistant', ARGV[4])
end
return 1

-- KEYS: thread. ARGV: the metadata that was read ('' for none), the new metadata, now.
-- Returns missing, changed (somebody else was first) or done.
if redis.call('HEXISTS', KEYS[1], 'owner') == 0 then
  return 'missing'
end
if (redis.call('HGET', KEYS[1], 'metadata') or '') ~= ARGV[1] then
  return 'changed'
end
redis.call('HSET', KEYS[1], 'metadata', ARGV[2], 'updated', ARGV[3])
return 'done'

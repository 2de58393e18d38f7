-- Keeps a thread from expiring, or lets it expire again. ARGV: '1' or '0', ttl in ms.
if ARGV[1] == '1' then
  redis.call('HSET', KEYS[2], 'P', 1)
  for i = 1, 3 do redis.call('PERSIST', KEYS[i]) end
else
  redis.call('HDEL', KEYS[2], 'P')
  touch(ARGV[2])
end

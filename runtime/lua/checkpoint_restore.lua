-- Makes a thread what was dumped, unpinned. ARGV: ttl in ms, three dumps.
bury()
for i = 1, 3 do
  if ARGV[i + 1] ~= '' then redis.call('RESTORE', KEYS[i], 0, ARGV[i + 1], 'REPLACE') end
end
redis.call('HDEL', KEYS[2], 'P')
touch(ARGV[1])

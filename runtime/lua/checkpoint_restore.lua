-- Makes a thread what was dumped, unpinned.
-- KEYS: checkpoints, blobs, writes. ARGV: ttl in ms, three dumps. Returns the runs it had before.
local runs = run_ids(KEYS[1])
for i = 1, 3 do
  redis.call('UNLINK', KEYS[i])
  if ARGV[i + 1] ~= '' then redis.call('RESTORE', KEYS[i], 0, ARGV[i + 1]) end
end
redis.call('HDEL', KEYS[2], 'P')
touch(ARGV[1])
return runs

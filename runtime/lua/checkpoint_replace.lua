-- Puts the copy that was built in the thread's place, unpinned. ARGV: token, pages, ttl in ms. Returns FINISHED or BUSY.
if was_finished(ARGV[1]) then return FINISHED end
if owner() ~= ARGV[1] or redis.call('HGET', KEYS[6], 'N') ~= ARGV[2] then return BUSY end
redis.call('HDEL', KEYS[6], 'P')
take_place(ARGV[1])
touch(ARGV[3])
return FINISHED

-- Puts the copy that was built in the thread's place, unpinned. ARGV: token, ttl in ms. Returns DONE or BUSY.
if was_done(ARGV[1]) then return DONE end
if not owns(ARGV[1]) then return BUSY end
redis.call('HDEL', KEYS[6], 'P')
take_place(ARGV[1])
touch(ARGV[2])
return DONE

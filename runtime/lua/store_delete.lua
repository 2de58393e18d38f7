-- Removes an item. ARGV: member. Returns a time in µs, later than the item's last put.
local version = next_version(redis.call('HGET', KEYS[2], ARGV[1]), now_us())
remove(ARGV[1])
return version

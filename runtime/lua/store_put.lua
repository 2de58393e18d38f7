-- Stores an item. ARGV: member, value, ttl in ms or 0. Returns its version: the time of its update in µs.
local now, member, ttl_ms = now_us(), ARGV[1], tonumber(ARGV[3])
local before = live_record(member, now)
local created = before and struct.unpack('>d', before) or now
local version = next_version(before, now)
redis.call('HSET', KEYS[2], member, struct.pack('>ddd', created, version, ttl_ms) .. ARGV[2])
redis.call('ZADD', KEYS[1], 0, member)
set_deadline(member, ttl_ms, now)
-- Nothing else removes what is never read again.
for _, expired in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now / 1000, 'LIMIT', 0, 100)) do remove(expired) end
return version

-- Stores a checkpoint. Returns -1 (stale), 0 (send all) or the generation.
local refused = refusal()
if refused then return refused end
local generation = store_fields()
remove_under(KEYS[1], ARGV[5])
redis.call('ZADD', KEYS[1], 0, ARGV[6])
if ARGV[7] ~= '' then redis.call('ZADD', KEYS[1], 0, '\255' .. ARGV[7]) end
touch(ARGV[2])
return generation

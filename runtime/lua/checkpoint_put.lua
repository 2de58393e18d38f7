-- Stores a checkpoint. Returns 1 (done), 0 (refused: send all) or -1 (stale).
local refused = refusal()
if refused then return refused end
store_fields()
remove_under(KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[1], 0, ARGV[4])
if ARGV[5] ~= '' then redis.call('ZADD', KEYS[1], 0, '\255' .. ARGV[5]) end
touch(ARGV[2])
return DONE

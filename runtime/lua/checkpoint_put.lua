-- Stores a checkpoint. Returns 1 (done), 2 (done, the first of its run here), 0 (refused: send all) or -1 (stale).
local refused = refusal()
if refused then return refused end
local compacting = is_compacting()
store_fields()
remove_under(KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[1], 0, ARGV[4])
local is_first = ARGV[5] ~= '' and redis.call('ZADD', KEYS[1], 0, '\255' .. ARGV[5]) == 1
if compacting then carry_put(read_record(ARGV[4])) end
touch(ARGV[2])
return is_first and FIRST or DONE

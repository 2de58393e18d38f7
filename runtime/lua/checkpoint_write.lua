-- Appends a task's writes to a checkpoint's log. Returns -1 (stale), 0 (send all) or the generation.
local refused = refusal()
if refused then return refused end
local generation = store_fields()
local prefix = ARGV[5]
local sequence = redis.call('ZLEXCOUNT', KEYS[3], '[' .. prefix .. '\0', '(' .. prefix .. '\1')
redis.call('ZADD', KEYS[3], 0, prefix .. '\0' .. struct.pack('>I4', sequence) .. ARGV[6])
touch(ARGV[2])
return generation

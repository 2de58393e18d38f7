-- Appends a task's writes to a checkpoint's log. Returns 1 (done), 0 (refused: send all) or -1 (stale).
local refused = refusal()
if refused then return refused end
local compacting = is_compacting()
store_fields()
local prefix = ARGV[3]
local sequence = redis.call('ZLEXCOUNT', KEYS[3], '[' .. prefix .. '\0', '(' .. prefix .. '\1')
local write = prefix .. '\0' .. struct.pack('>I4', sequence) .. ARGV[4]
redis.call('ZADD', KEYS[3], 0, write)
if compacting then
  carry_write(write)
  expire_built(redis.call('PTTL', KEYS[6]))
end
touch(ARGV[2])
return DONE

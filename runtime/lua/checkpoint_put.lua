-- Stores a checkpoint. Returns 1 (done), 0 (refused: send all) or -1 (stale).
local refused = refusal()
if refused then return refused end
store_fields()
remove_under(KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[1], 0, ARGV[4])
if ARGV[5] ~= '' then redis.call('ZADD', KEYS[1], 0, '\255' .. ARGV[5]) end
if is_compacting() then
  local record = read_record(ARGV[4])
  carry_record(ARGV[4], record, record.parent == '' or find_record(KEYS[5], record.ns, record.parent))
  expire_built(redis.call('PTTL', KEYS[6]))
end
touch(ARGV[2])
return DONE

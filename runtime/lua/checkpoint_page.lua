-- Checkpoints of one namespace, the newest first. ARGV: max, min, limit.
-- Returns {records, value fields, values, writes of each record, block names, blocks}.
local members = redis.call('ZREVRANGEBYLEX', KEYS[1], ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])
local fields, blocks, writes = new_set(), new_set(), {}
for i = 1, #members do
  local record = read_record(members[i])
  each_stored(record, function(field) add(fields, field) end)
  writes[i] = under(KEYS[3], record.prefix)
  for j = 1, #writes[i] do add_write_refs(blocks, record.prefix, writes[i][j]) end
end
local values = load_values(KEYS[2], fields, blocks)
local stored = values and load_blocks(KEYS[2], blocks)
if not stored then return LOST end
return {members, fields.list, values, writes, blocks.list, stored}

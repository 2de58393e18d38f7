-- One checkpoint. ARGV: namespace, checkpoint id or '' for the newest.
-- Returns nil, 0 (lost) or {record, value fields, values, writes, block names, blocks}.
local member = find_record(KEYS[1], ARGV[1], ARGV[2])
if not member then return false end
local record, fields, blocks = read_record(member), new_set(), new_set()
each_stored(record, function(field) add(fields, field) end)
local values = load_values(KEYS[2], fields, blocks)
local writes = under(KEYS[3], record.prefix)
for i = 1, #writes do add_write_refs(blocks, record.prefix, writes[i]) end
local stored = values and load_blocks(KEYS[2], blocks)
if not stored then return LOST end
return {member, fields.list, values, writes, blocks.list, stored}

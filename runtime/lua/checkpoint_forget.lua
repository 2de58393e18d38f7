-- Removes the checkpoints of a run, their writes, and the values and blocks that nothing else needs.
-- KEYS: checkpoints, blobs, writes. ARGV: run.
local checkpoints, blobs, log = KEYS[1], KEYS[2], KEYS[3]
redis.call('ZREM', checkpoints, '\255' .. ARGV[1])

local records, members, has, removed = {}, {}, {}, false
for _, member in ipairs(redis.call('ZRANGEBYLEX', checkpoints, '-', '(\255')) do
  local record = read_record(member)
  if record.flags.r == ARGV[1] then
    removed = true
    redis.call('ZREM', checkpoints, member)
    remove_under(log, record.prefix)
  else
    records[#records + 1], members[#members + 1] = record, member
    has[record.prefix] = true
  end
end
if not removed then return end

for i, record in ipairs(records) do
  if record.parent ~= '' and not has[record.ns .. '\0' .. record.parent] then
    redis.call('ZREM', checkpoints, members[i])
    redis.call('ZADD', checkpoints, 0, without_parent(members[i], record))
  end
end

local fields, _, blocks = needed(blobs, records, redis.call('ZRANGE', log, 0, -1))
for _, field in ipairs(redis.call('HKEYS', blobs)) do
  if not (fields.has[field] or blocks.has[field] or field == 'P') then redis.call('HDEL', blobs, field) end
end

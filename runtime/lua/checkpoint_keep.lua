-- The common half of prune and forget.

-- The fields that checkpoints and writes need: the values with their contents, and the blocks.
local function needed(blobs, records, writes)
  local fields, blocks = new_set(), new_set()
  for _, record in ipairs(records) do
    each_stored(record, function(field) add(fields, field) end)
  end
  for _, write in ipairs(writes) do
    local ns_end = string.find(write, '\0', 1, true)
    local id_end = string.find(write, '\0', ns_end + 1, true)
    add_write_refs(blocks, string.sub(write, 1, id_end - 1), write)
  end
  local values = get_many(blobs, fields.list)
  for i = 1, #values do
    if values[i] then add_refs(blocks, values[i], 1) end
  end
  add_grouped(blobs, blocks)
  return fields, values, blocks
end

local function without_parent(member, record)
  return record.prefix .. '\0' .. struct.pack('>I2', 0) .. string.sub(member, record.rest)
end

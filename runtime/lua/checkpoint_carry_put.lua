-- Carries a checkpoint that is put while its thread is compacted.

-- Whether a prune has yet to come by a namespace. It goes through them in the order of their bytes.
local function is_ahead(ns)
  local cursor = cmsgpack.unpack(redis.call('HGET', KEYS[6], 'C'))
  if cursor[1] == 'chain' then return ns > cursor[2] end
  return cursor[1] == 'records' and (cursor[2] == '-' or '[' .. ns .. '\0' > cursor[2])
end

-- A branch, from a checkpoint that is about to go, whose channels are rebuilt from the ancestors: they must stay.
local function needs_what_goes(record)
  return record.flags.d and record.parent ~= '' and redis.call('HGET', KEYS[6], 'R') == ''
    and not is_ahead(record.ns) and find_record(KEYS[1], record.ns, record.parent)
end

local function carry_put(record)
  local has_parent = record.parent ~= '' and find_record(KEYS[5], record.ns, record.parent)
  if not has_parent and needs_what_goes(record) then
    redis.call('UNLINK', KEYS[5], KEYS[6], KEYS[7]) -- The compaction finds itself ended.
    return
  end
  carry_record(record, has_parent and record.parent or '')
  -- Those that came before their checkpoint.
  for _, write in ipairs(under(KEYS[3], record.prefix)) do carry_write(write) end
  expire_built(redis.call('PTTL', KEYS[6]))
end

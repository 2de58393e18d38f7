-- Keeps the newest checkpoint of each namespace, the ancestors that its delta channels are rebuilt from, and writes whose
-- checkpoint is still to come.
local checkpoints, log = KEYS[1], KEYS[3]
local steps = {writes = carry_early_writes}

-- A subgraph's call is over once the root has gone past the checkpoint it ran from: nothing resumes it any more.
local function is_over(record, root)
  local from = record.flags.p
  return string.find(record.ns, ':', 1, true) and root and from and from ~= root.id
    and find_record(checkpoints, '', from) ~= nil
end

-- Carries a checkpoint, and its ancestors for as long as a channel in `open` has no value.
local function carry_chain(member, open)
  while true do
    local record = read_record(member)
    for i = 1, #record.channels, 3 do
      if record.channels[i + 2] <= INLINE then open[record.channels[i]] = nil end
    end
    local parent = next(open) and record.parent ~= '' and find_record(checkpoints, record.ns, record.parent)
    spend(6 + carry_record(record, parent and record.parent or ''))
    carry_writes(under(log, record.prefix))
    if not parent then return {'records', '[' .. record.ns .. '\1'} end
    if budget <= 0 then
      local cursor = {'chain', record.ns, record.parent}
      for channel in pairs(open) do cursor[#cursor + 1] = channel end
      return cursor
    end
    member = parent
  end
end

function steps.records(from)
  local root = find_record(checkpoints, '', '')
  root = root and read_record(root)
  while budget > 0 do
    local member = redis.call('ZRANGEBYLEX', checkpoints, from, '(\255', 'LIMIT', 0, 1)[1]
    if not member then return {'writes', '-'} end
    local newest = find_record(checkpoints, place_of(member), '')
    local record, open = read_record(newest), {}
    spend(6)
    if not is_over(record, root) then
      for _, channel in ipairs(record.flags.d or {}) do open[channel] = true end
      return carry_chain(newest, open)
    end
    from = '[' .. record.ns .. '\1'
  end
  return {'records', from}
end

function steps.chain(ns, id, ...)
  local open = {}
  for _, channel in ipairs({...}) do open[channel] = true end
  return carry_chain(find_record(checkpoints, ns, id), open)
end

return advance(steps)

-- The common half of prune and forget, which the client calls until they are finished. Each call does a piece of the
-- work, so that Redis is never busy with it for long. ARGV: token, run or '', '1' for the first call.
local budget = 125 -- what one call may spend: each lookup and each block looked at is 1

local function spend(units) budget = budget - units end

local function carry_writes(writes)
  for _, write in ipairs(writes) do spend(2 + carry_write(write)) end
end

-- The last step: carries the writes whose checkpoint is not there yet. The others' were carried with it, or go.
local function carry_early_writes(from)
  while budget > 0 do
    local write = redis.call('ZRANGEBYLEX', KEYS[3], from, '+', 'LIMIT', 0, 1)[1]
    if not write then return nil end
    local _, prefix = place_of(write)
    local is_early = not under(KEYS[1], prefix)[1]
    spend(4)
    if is_early then carry_writes({write}) end
    from = is_early and '(' .. write or '[' .. prefix .. '\1'
  end
  return {'writes', from}
end

local function finish(token)
  local pinned = redis.call('HEXISTS', KEYS[2], 'P') == 1
  local left_ms = math.max(redis.call('PTTL', KEYS[1]), redis.call('PTTL', KEYS[3]))
  if pinned then redis.call('HSET', KEYS[6], 'P', 1) end
  take_place(token)
  if left_ms > 0 then
    for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], left_ms) end
  end
end

-- `steps`: by the cursor's first part, a function of the others that returns the next cursor or nil.
-- Returns MORE, FINISHED, or BUSY: another's is under way, or this one was ended or lost.
local function advance(steps)
  local token = ARGV[1]
  if was_finished(token) then return FINISHED end
  if not owner() and ARGV[3] == '1' then
    begin(token)
    redis.call('HSET', KEYS[6], 'C', cmsgpack.pack({'records', '-'}), 'R', ARGV[2])
  end
  if owner() ~= token then return BUSY end
  if end_if_gone() then return FINISHED end
  local cursor = cmsgpack.unpack(redis.call('HGET', KEYS[6], 'C'))
  while cursor and budget > 0 do cursor = steps[cursor[1]](unpack(cursor, 2)) end
  if not cursor then
    finish(token)
    return FINISHED
  end
  redis.call('HSET', KEYS[6], 'C', cmsgpack.pack(cursor))
  expire_built(GIVEN_UP_MS)
  return MORE
end

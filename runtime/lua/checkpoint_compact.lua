-- The common half of prune and forget: the client calls them until they return no cursor. Each call does a bounded
-- piece of the work, so that Redis is never busy with one for long. ARGV: token, run or '', cursor ….
local budget = 125 -- what one call may spend: each lookup and each block looked at is 1

local function spend(units) budget = budget - units end

local function carry_writes(writes)
  for _, write in ipairs(writes) do spend(2 + carry_write(write)) end
end

-- Carries the writes that `owner` does not return a prefix for: of such it skips all. Returns a cursor, nil at the end.
local function carry_unowned(from, owner)
  while budget > 0 do
    local write = redis.call('ZRANGEBYLEX', KEYS[3], from, '+', 'LIMIT', 0, 1)[1]
    if not write then return nil end
    local skipped = owner(place_of(write))
    spend(4)
    if not skipped then carry_writes({write}) end
    from = skipped and '[' .. skipped .. '\1' or '(' .. write
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
-- Returns a cursor, {} when all is done (also when it was, and the reply was lost), or BUSY.
local function advance(steps)
  local token, cursor = ARGV[1], {unpack(ARGV, 3)}
  if was_done(token) then return {} end
  if #cursor > 0 and not is_compacting() or not owns(token) then return BUSY end
  if #cursor == 0 then cursor = {'records', '-'} end
  while cursor and budget > 0 do cursor = steps[cursor[1]](unpack(cursor, 2)) end
  if cursor then
    expire_built(GIVEN_UP_MS)
    return cursor
  end
  finish(token)
  return {}
end

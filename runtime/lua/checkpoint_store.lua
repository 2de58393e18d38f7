-- The common half of put and write. KEYS: checkpoints, blobs, writes, fence.
-- ARGV: fence or '', ttl in ms, generation or '', new generation, prefix, member, run or '', n, n required fields,
-- then fields and values.
-- Fields required are those the client left out because it knows them stored: they must be there, and nothing may
-- have been removed since (the generation), or the client sends all.
local STALE, REFUSED = -1, 0

local function refusal()
  if is_stale(KEYS[4], ARGV[1]) then return STALE end
  if ARGV[3] ~= '' and redis.call('HGET', KEYS[2], 'G') ~= ARGV[3] then return REFUSED end
  for i = 9, 8 + tonumber(ARGV[8]) do
    if redis.call('HEXISTS', KEYS[2], ARGV[i]) == 0 then return REFUSED end
  end
end

-- Returns the generation.
local function store_fields()
  local generation = redis.call('HGET', KEYS[2], 'G')
  if not generation then
    generation = ARGV[4]
    redis.call('HSET', KEYS[2], 'G', generation)
  end
  set_many(KEYS[2], ARGV, 9 + tonumber(ARGV[8]))
  return generation
end

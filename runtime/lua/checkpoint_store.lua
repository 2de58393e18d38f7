-- The common half of put and write.
-- ARGV: fence or '', ttl in ms, prefix, member, run or '', n, n required fields, then fields and values.
-- Required are the fields that the client did not send because it knows them to be stored.
local STALE, REFUSED, DONE, FIRST = -1, 0, 1, 2

local function refusal()
  if is_stale(KEYS[4], ARGV[1]) then return STALE end
  for i = 7, 6 + tonumber(ARGV[6]) do
    if redis.call('HEXISTS', KEYS[2], ARGV[i]) == 0 then return REFUSED end
  end
end

local function store_fields() set_many(KEYS[2], ARGV, 7 + tonumber(ARGV[6])) end

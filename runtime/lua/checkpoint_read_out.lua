-- A page of one of a thread's keys, as it is stored, for a copy.
-- ARGV: which of KEYS 1 to 3, where to begin, items at most, then what the first page said, to be the same thread still.
-- Returns {epoch, first member, where to go on or '' at the end, item, …}, CHANGED when another thread stands there now.
local CHANGED = 0
local which, from, limit = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local epoch = redis.call('HGET', KEYS[2], 'E') or ''
local first = ARGV[5]
if first ~= '' and (epoch ~= ARGV[4] or not redis.call('ZSCORE', KEYS[1], first)) then return CHANGED end

local items, following
if which == 2 then
  local page = redis.call('HSCAN', KEYS[2], from, 'COUNT', limit)
  items, following = page[2], page[1] ~= '0' and page[1] or ''
else
  items = redis.call('ZRANGEBYLEX', KEYS[which], from, '+', 'LIMIT', 0, limit)
  following = #items == tonumber(limit) and '(' .. items[#items] or ''
end
if first == '' then first = items[1] or '' end
local reply = {epoch, first, following}
for i = 1, #items do reply[3 + i] = items[i] end
return reply

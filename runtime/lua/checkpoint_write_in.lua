-- Adds a page that was read out of another thread to what is built.
-- ARGV: token, the page's number from 1 on, which of KEYS 1 to 3, items. Returns MORE or BUSY.
local token, page, which = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if page == 1 and (not owner() or owner() == token) then begin(token) end
if owner() ~= token then return BUSY end
local pages = tonumber(redis.call('HGET', KEYS[6], 'N') or 0)
if page ~= pages and page ~= pages + 1 then return BUSY end -- A failover lost some. The same one again: a lost reply.
redis.call('HSET', KEYS[6], 'N', page)
if which == 2 then
  set_many(KEYS[6], ARGV, 4)
else
  for i = 4, #ARGV do redis.call('ZADD', KEYS[4 + which], 0, ARGV[i]) end
end
expire_built(GIVEN_UP_MS)
return MORE

-- Adds a page that was read out of another thread to what is built.
-- ARGV: token, '1' for the first page, which of KEYS 1 to 3, items. Returns DONE or BUSY.
if not owns(ARGV[1]) then return BUSY end
if ARGV[2] == '1' then begin(ARGV[1]) end
local which = tonumber(ARGV[3])
if which == 2 then
  set_many(KEYS[6], ARGV, 4)
else
  for i = 4, #ARGV do redis.call('ZADD', KEYS[4 + which], 0, ARGV[i]) end
end
expire_built(GIVEN_UP_MS)
return DONE

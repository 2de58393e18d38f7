-- KEYS: thread. Marks it as being deleted, so that nothing starts on it while its state goes; a second time does no
-- harm. Returns missing, busy (a run is in flight) or marked.
local row = redis.call('HMGET', KEYS[1], 'owner', 'active')
if not row[1] then
  return 'missing'
end
if row[2] and row[2] ~= '' and row[2] ~= 'deleting' then
  return 'busy'
end
redis.call('HSET', KEYS[1], 'active', 'deleting')
return 'marked'

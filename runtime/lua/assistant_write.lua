-- KEYS: the tenant's assistants by id; this one's versions by number. ARGV: id, document as read, new document ('': the
-- assistant goes, with its versions), assistants at most, number of the version that this makes ('': none).
local outcome = replace(ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]))
if outcome == 'done' and ARGV[3] == '' then
  redis.call('UNLINK', KEYS[2])
elseif outcome == 'done' and ARGV[5] ~= '' then
  redis.call('HSET', KEYS[2], ARGV[5], ARGV[3])
end
return outcome

-- KEYS: the tenant's crons by id; all tenants' due times. ARGV: id, document as read, new document ('': the cron goes),
-- crons at most, its name among the due times, when it is due next ('': never).
local outcome = replace(ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]))
if outcome == 'done' and ARGV[6] == '' then
  redis.call('ZREM', KEYS[2], ARGV[5])
elseif outcome == 'done' then
  redis.call('ZADD', KEYS[2], ARGV[6], ARGV[5])
end
return outcome

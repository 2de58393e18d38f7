-- A page of items. ARGV: min, max, members at most. Returns {last member or '' at the end, member, record, …}.
local now = now_us()
local members = redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])
local reply = {#members == tonumber(ARGV[3]) and members[#members] or ''}
for _, member in ipairs(members) do
  local record = live_record(member, now)
  if record then
    reply[#reply + 1] = member
    reply[#reply + 1] = record
  end
end
return reply

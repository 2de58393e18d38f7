-- An item's record or nil. ARGV: member, '1' to begin its time to live anew.
local now, member = now_us(), ARGV[1]
local record = live_record(member, now)
if record and ARGV[2] == '1' then refresh(member, record, now) end
return record

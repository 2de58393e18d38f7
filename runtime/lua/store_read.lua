-- Items' records, nil for those that are not there. ARGV: members.
local now, records = now_us(), {}
for i, member in ipairs(ARGV) do records[i] = live_record(member, now) or false end
return records

-- Begins the time to live of items anew. ARGV: members.
local now = now_us()
for _, member in ipairs(ARGV) do
  local record = live_record(member, now)
  if record then refresh(member, record, now) end
end

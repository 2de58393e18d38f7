-- The thread's namespaces. Skips from one to the next; the thread's runs, which begin with byte 255, come after them.
local found, from = {}, '-'
while true do
  local member = redis.call('ZRANGEBYLEX', KEYS[1], from, '(\255', 'LIMIT', 0, 1)[1]
  if not member then return found end
  local ns = string.sub(member, 1, string.find(member, '\0', 1, true) - 1)
  found[#found + 1] = ns
  from = '[' .. ns .. '\1'
end

-- A page of namespaces, each once. ARGV: min, steps at most. Returns {min to go on with or '' at the end, namespace, …}.
local now, from, reply = now_us(), ARGV[1], {''}
for _ = 1, tonumber(ARGV[2]) do
  local member = redis.call('ZRANGEBYLEX', KEYS[1], from, '+', 'LIMIT', 0, 1)[1]
  if not member then return reply end
  if is_expired(member, now) then
    remove(member)
  else
    local namespace = string.sub(member, 1, string.find(member, '\0\0', 1, true) - 1)
    reply[#reply + 1] = namespace
    from = '[' .. namespace .. '\0\1'
  end
end
reply[1] = from
return reply

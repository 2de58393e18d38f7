-- Included before other scripts. Replaces a document of the hash KEYS[1] if it still is what somebody has read, so that
-- of two who change it at once the second has to read again. '' stands for no document; `most` bounds the hash.
local function replace(id, read, document, most)
  local current = redis.call('HGET', KEYS[1], id) or ''
  if current == document then return 'done' end -- Again, after a reply that was lost.
  if current ~= read then return 'changed' end
  if document == '' then
    redis.call('HDEL', KEYS[1], id)
    return 'done'
  end
  if read == '' and redis.call('HLEN', KEYS[1]) >= most then return 'full' end
  redis.call('HSET', KEYS[1], id, document)
  return 'done'
end

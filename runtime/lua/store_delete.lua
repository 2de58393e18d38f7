-- Removes an item. ARGV: member.
remove(ARGV[1])

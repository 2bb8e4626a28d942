-- Offers one version of a flag set to the cache. KEYS: entry, tail, mark.
-- ARGV: 1 lineage, 2 version, 3 digest, 4 head, 5 as-of and 6 end in microseconds,
-- 7 lifetime of the entry and 8 of the mark in milliseconds, 9 switches (a: the
-- lineage is authoritative, o: so are the contents, f: what is stored is known to be
-- damaged), 10 most commits and 11 most bytes in the tail, 12 checkpoint to replace
-- the whole, else empty, 13 version before the commits, 14 margin in microseconds,
-- 15 format of what is written, 16 digest in hexadecimal; from 17 on, three for
-- each commit: version, digest after it, bytes.
-- Versions are 20 digits each of epoch and revision: as strings they compare like
-- numbers, which doubles do not beyond 2^53.
local entry, tail, mark = KEYS[1], KEYS[2], KEYS[3]
local lineage, version, digest = ARGV[1], ARGV[2], ARGV[3]
local origin = string.find(ARGV[9], 'o', 1, true)
local authoritative = origin or string.find(ARGV[9], 'a', 1, true)
local damaged = string.find(ARGV[9], 'f', 1, true)
local whole = ARGV[12] ~= ''

-- Somebody else's value under our key is in the way for ever unless it goes.
local function own(key, kind)
  local t = redis.call('TYPE', key)
  t = t.ok or t
  if t ~= 'none' and t ~= kind then redis.call('DEL', key) end
end
own(entry, 'hash')
own(tail, 'zset')
own(mark, 'string')

local held = redis.call('HMGET', entry, 'lineage', 'version', 'digest', 'asof', 'end', 'count', 'bytes', 'margin', 'format')
-- A later version of this program writes here: it knows what it does.
if held[9] and tonumber(held[9]) and tonumber(held[9]) > tonumber(ARGV[15]) then return 'conflict' end
local heldLineage, heldVersion, heldDigest = held[1], held[2], held[3]
if not (heldLineage and heldVersion and heldDigest and #heldVersion == 40
    and tonumber(held[4]) and tonumber(held[5]) and tonumber(held[6]) and tonumber(held[7])) then
  heldLineage, heldVersion, heldDigest = nil, nil, nil
end
local floorLineage, floor = heldLineage, heldVersion
local l, v, d = string.match(redis.call('GET', mark) or '', '^(%S+) (%d+) ?(%x*)$')
if l and #v == 40 and not (floor and l == floorLineage and v < floor) then
  floorLineage, floor = l, v
else
  d = nil
end

-- The guard: one history, and never back in it.
if floor and floorLineage ~= lineage then
  if not authoritative then return 'conflict' end
elseif floor and version < floor then
  return 'older'
end
local same = heldLineage == lineage and heldVersion == version
-- Other contents at one version: only who writes the set can tell which are right.
-- The mark knows what the version was, also where the entry is gone or damaged.
if floorLineage == lineage and floor == version and not origin then
  if d and d ~= '' and d ~= ARGV[16] then return 'conflict' end
  if same and heldDigest ~= digest and not damaged then return 'conflict' end
end

local count, bytes = tonumber(held[6]) or 0, tonumber(held[7]) or 0
local intact = heldVersion and not damaged and redis.call('ZCARD', tail) == count

local function keep(asof, til, margin)
  redis.call('HSET', entry, 'asof', asof, 'end', til, 'margin', margin)
  redis.call('PEXPIRE', entry, ARGV[7])
  redis.call('PEXPIRE', tail, ARGV[7])
  redis.call('SET', mark, lineage .. ' ' .. version .. ' ' .. ARGV[16], 'PX', ARGV[8])
end

if same and intact and heldDigest == digest then
  -- Less than a millisecond is the wall clock being put right between two puts of one instant.
  if tonumber(ARGV[5]) <= tonumber(held[4]) + 1000 then return 'unchanged' end
  -- Neither the end nor the beginning of the margin is brought forward.
  local til = math.max(tonumber(ARGV[6]), tonumber(held[5]))
  local usable = math.max(tonumber(ARGV[6]) - tonumber(ARGV[14]), tonumber(held[5]) - (tonumber(held[8]) or 0))
  keep(ARGV[5], string.format('%.0f', til), string.format('%.0f', til - usable))
  return 'renewed'
end

if whole then
  redis.call('DEL', entry, tail)
  redis.call('HSET', entry, 'cp', ARGV[12])
  count, bytes = 0, 0
else
  if not intact or heldLineage ~= lineage then return 'gap' end
  -- Other writers may have put the first of these commits already.
  local from, at, before = 17, ARGV[13], heldDigest
  while at ~= heldVersion do
    if from > #ARGV then return 'gap' end
    at, before = ARGV[from], ARGV[from + 1]
    from = from + 3
  end
  if before ~= heldDigest or from > #ARGV then return 'gap' end
  for i = from, #ARGV, 3 do
    count, bytes = count + 1, bytes + #ARGV[i + 2]
  end
  if count > tonumber(ARGV[10]) or bytes > tonumber(ARGV[11]) then return 'gap' end
  for i = from, #ARGV, 3 do
    redis.call('ZADD', tail, 0, string.sub(ARGV[i], 21) .. before .. ARGV[i + 2])
    before = ARGV[i + 1]
  end
end
redis.call('HSET', entry, 'lineage', lineage, 'version', version, 'digest', digest, 'head', ARGV[4],
  'count', count, 'bytes', bytes, 'format', ARGV[15])
keep(ARGV[5], ARGV[6], ARGV[14])
return 'stored'

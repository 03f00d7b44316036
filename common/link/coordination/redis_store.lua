-- The store's one script. Each verb is one atomic step in Redis.
--
-- KEYS[1] the hash that holds all that counts: what is lost of it is lost with the
--         epoch. Fields: now, seq, run, epoch; e:<key> entries, c:<key> counters,
--         l:<name> leases.
-- KEYS[2] names of entries, in order, for scanning
-- KEYS[3] fields by expiry, for forgetting
-- ARGV    verb, newest seq and newest time that the caller has been shown, key, number,
--         value, and two more where a verb needs them
-- Reply   seq, now, epoch, wall clock, then what the verb gives
local store, names, expiries = KEYS[1], KEYS[2], KEYS[3]
local verb, seen, shown, key = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local number, value = tonumber(ARGV[5]), ARGV[6]
local PURGE, PAGE_BYTES = 20, 1048576

local function digits(n)
	return string.format('%.0f', n)
end

-- ---- Whose words these are, and when ----

local replication = redis.call('INFO', 'replication')
if not string.find(replication, 'role:master', 1, true) then
	return redis.error_reply('WINGMAN this is a replica')
end
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local history = string.match(replication, 'master_replid:(%x+)')
if not run or not history then
	return redis.error_reply('WINGMAN this Redis does not say who it is')
end
-- Another process (restart, failover) or another history (this one followed another).
run = run .. history

local clock = redis.call('TIME')
local wall = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local state = redis.call('HMGET', store, 'now', 'seq', 'run', 'epoch')
local last = math.max(tonumber(state[1]) or 0, shown)
local seq, epoch = tonumber(state[2]) or 0, tonumber(state[4]) or 0
local now = math.max(wall, last)

-- Flushed or restored: not even what this caller has seen is there.
local is_new = state[3] ~= run or seq < seen
local is_read = verb == 'get' or verb == 'scan' or verb == 'now'
if is_new and not is_read then
	now = math.max(wall, last + 1)
	epoch = now
	-- Above all that was counted before, as long as there is less than a write each ms.
	seq = math.max(seq, seen, now)
end

-- ---- Entries: <expires>:<token>:<value> ----

local function find(name)
	local raw = redis.call('HGET', store, 'e:' .. name)
	if not raw then
		return nil
	end
	local expires, token, at = string.match(raw, '^(%d+):(%x*):()')
	expires = tonumber(expires)
	if expires > 0 and expires <= now then
		return nil
	end
	return { expires = expires, token = token, value = string.sub(raw, at) }
end

local function keep(field, expires, raw)
	redis.call('HSET', store, field, raw)
	if expires > 0 then
		redis.call('ZADD', expiries, digits(expires), field)
	else
		redis.call('ZREM', expiries, field)
	end
end

local function keep_entry(expires, token, text)
	keep('e:' .. key, expires, digits(expires) .. ':' .. token .. ':' .. text)
	redis.call('ZADD', names, 0, key)
end

local function drop(field)
	redis.call('HDEL', store, field)
	redis.call('ZREM', expiries, field)
	if string.sub(field, 1, 2) == 'e:' then
		redis.call('ZREM', names, string.sub(field, 3))
	end
end

local function until_ms()
	return number > 0 and now + number or 0
end

-- ---- Verbs ----

local verbs = {}

function verbs.now()
	return {}
end

function verbs.epoch()
	return {}
end

function verbs.get()
	local found = find(key)
	return found and { 1, found.value } or { 0 }
end

-- ARGV[7] who claims, for one whose answer was lost; ARGV[8] whether to tell the value.
function verbs.claim()
	local found = find(key)
	if not found then
		keep_entry(until_ms(), ARGV[7], value)
		return { 1 }
	end
	if found.token == ARGV[7] then
		return { 1 }
	end
	return ARGV[8] == '1' and { 0, found.value } or { 0 }
end

function verbs.put()
	local found = find(key)
	local expires = until_ms()
	if expires == 0 and found then
		expires = found.expires
	end
	keep_entry(expires, '', value)
	return {}
end

-- ARGV[7] what must be there.
function verbs.swap()
	local found = find(key)
	if not found or found.value ~= ARGV[7] then
		return { 0 }
	end
	keep_entry(found.expires, '', value)
	return { 1 }
end

function verbs.take()
	local found = find(key)
	drop('e:' .. key)
	return found and { 1, found.value } or { 0 }
end

-- 'key' is the prefix, 'number' the page, 'value' the last key of the page before.
function verbs.scan()
	local from = value == '' and '[' .. key or '(' .. value
	local page = redis.call('ZRANGEBYLEX', names, from, '(' .. key .. '\127',
		'LIMIT', 0, number)
	local out, bytes, more = { 0, '' }, 0, #page == number
	for i, name in ipairs(page) do
		local found = find(name)
		out[2] = name
		if found then
			out[#out + 1] = name
			out[#out + 1] = found.value
			bytes = bytes + #found.value
		end
		if bytes >= PAGE_BYTES then
			more = more or i < #page
			break
		end
	end
	out[1] = more and 1 or 0
	return out
end

-- <expires>:<total>; ARGV[6] is added, 'number' the window.
function verbs.count()
	local field = 'c:' .. key
	local expires, total = string.match(redis.call('HGET', store, field) or '',
		'^(%d+):(-?%d+)$')
	expires, total = tonumber(expires) or 0, tonumber(total) or 0
	if expires <= now then
		expires, total = until_ms(), 0
	end
	total = total + tonumber(value)
	keep(field, expires, digits(expires) .. ':' .. digits(total))
	return { digits(total) }
end

-- <fence>:<expires>:<holder>
local function lease()
	local fence, expires, holder = string.match(redis.call('HGET', store, 'l:' .. key)
		or '', '^(%d+):(%d+):(.*)$')
	if not fence or tonumber(expires) <= now then
		return nil
	end
	return fence, holder
end

local function keep_lease(fence, holder)
	keep('l:' .. key, until_ms(), fence .. ':' .. digits(until_ms()) .. ':' .. holder)
end

function verbs.lease()
	local fence, holder = lease()
	if fence and holder ~= value then
		return { '0' }
	end
	keep_lease(digits(seq), value)
	return { digits(seq) }
end

function verbs.renew()
	local fence, holder = lease()
	if not fence or fence ~= value then
		return { 0 }
	end
	keep_lease(fence, holder)
	return { 1 }
end

function verbs.release()
	local fence = lease()
	if fence and fence == value then
		drop('l:' .. key)
	end
	return {}
end

-- ---- The step ----

-- The first write: if there is no room, nothing has happened yet.
if is_new and not is_read then
	seq = seq + 1
	redis.call('HSET', store, 'now', digits(now), 'seq', digits(seq), 'run', run, 'epoch',
		digits(epoch))
elseif not is_read and verb ~= 'epoch' then
	seq = seq + 1
	redis.call('HSET', store, 'now', digits(now), 'seq', digits(seq))
end
if not is_read then
	for _, field in ipairs(redis.call('ZRANGEBYSCORE', expiries, '-inf', digits(now),
		'LIMIT', 0, PURGE)) do
		drop(field)
	end
end
local reply = { digits(seq), digits(now), digits(epoch), digits(wall) }
for _, part in ipairs(verbs[verb]()) do
	reply[#reply + 1] = part
end
return reply

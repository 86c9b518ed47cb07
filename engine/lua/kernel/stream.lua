-- Streams (docs/lua.md#http_client, #http): what a host reads for a unit piece by piece, by the number under which it holds it.
local k = ...
local raw, lib = k.raw, k.lib
local find, sub, byte = raw.string.find, raw.string.sub, raw.string.byte

local MAX_TOKEN = 65536
local methods, scanning = {}, {}
local class, scanner_class = k.class("stream.Stream", methods), k.class("stream.Scanner", scanning)

local function of(self) return k.self(self, class, "stream") end

--- The stream of a handle; `size` -1 when the host does not know it.
function k.stream(handle, size)
  return k.new(class, { handle = handle, size = size or -1, position = 0 })
end

local function let_go(state)
  local handle = state.handle
  state.handle = nil
  if handle then return k.ask("stream.close", handle) end
  return true
end

local function cannot(what) return nil, k.failure("Internal", "stream is not " .. what, false) end

local function read(state, size)
  if state.ended then return nil, nil end
  if not state.handle then return nil, k.failure("Internal", "stream is closed", false) end
  local data, err = k.ask("stream.read", state.handle, size)
  if err then return nil, err end
  if not data then
    state.ended = true
    let_go(state)
    return nil, nil
  end
  lib.charge_bytes(#data)
  state.position = state.position + #data
  return data, nil
end

--- At most `size` bytes; nil, nil at the end.
function methods.read(self, size)
  local state = of(self)
  if size ~= nil and raw.type(size) ~= "number" then lib.refuse(1, "read", "number", size, 3) end
  return read(state, size)
end

--- Let go of it: true, also when that was done before.
function methods.close(self)
  local state = of(self)
  state.ended = nil
  let_go(state)
  return true, nil
end

function methods.write(self)
  of(self)
  return cannot("writable")
end

function methods.flush(self)
  of(self)
  return cannot("writable")
end

function methods.seek(self, whence)
  of(self)
  if whence ~= "set" and whence ~= "cur" and whence ~= "end" then
    return nil, k.invalid("stream: whence must be 'set', 'cur' or 'end'")
  end
  return cannot("seekable")
end

function methods.stat(self)
  local state = of(self)
  return { size = state.size, position = state.position, readable = state.handle ~= nil, writable = false, seekable = false }, nil
end

-- --- scanners: where a token ends in what was read, and where the next begins -------------------

local splits = {}

function splits.lines(text, from, ended)
  local at = find(text, "\n", from, true)
  if not at and not (ended and from <= #text) then return nil end
  local last = (at or #text + 1) - 1
  if last >= from and byte(text, last) == 13 then last = last - 1 end
  return from, last, (at or #text) + 1
end

function splits.words(text, from, ended)
  local first = find(text, "%S", from)
  if not first then return nil end
  local after = find(text, "%s", first)
  if not after and not ended then return nil end
  return first, (after or #text + 1) - 1, after or #text + 1
end

function splits.bytes(text, from)
  if from > #text then return nil end
  return from, from, from + 1
end

function splits.runes(text, from, ended)
  if from > #text then return nil end
  local first = byte(text, from)
  local size = first >= 0xF0 and 4 or first >= 0xE0 and 3 or first >= 0xC0 and 2 or 1
  if from + size - 1 > #text and not ended then return nil end
  return from, from + size - 1, from + size
end

function methods.scanner(self, split)
  local state = of(self)
  if split == nil then split = "lines" end
  local next_token = raw.type(split) == "string" and raw.rawget(splits, split)
  if not next_token then return nil, k.invalid("stream: split must be 'lines', 'words', 'bytes' or 'runes'") end
  return k.new(scanner_class, { stream = state, next = next_token, rest = "", from = 1, token = "" }), nil
end

local function stopped(state, err)
  state.token, state.done = "", true
  if err then state.failure = k.std.tostring(err) end
  return false, err
end

--- Go to the next token: true; false at the end; false and an error.
function scanning.scan(self)
  local state = k.self(self, scanner_class, "stream.Scanner")
  while not state.done do
    lib.charge_bytes(64)
    local first, last, after = state.next(state.rest, state.from, state.ended)
    if first then
      state.token, state.from = sub(state.rest, first, last), after
      return true, nil
    end
    if state.ended then return stopped(state) end
    if #state.rest - state.from >= MAX_TOKEN then return stopped(state, k.failure("Internal", "stream: token too long", false)) end
    local data, err = read(state.stream)
    if err then return stopped(state, err) end
    state.rest, state.from, state.ended = sub(state.rest, state.from) .. (data or ""), 1, data == nil
    lib.charge_bytes(#state.rest)
  end
  return false, nil
end

function scanning.text(self) return k.self(self, scanner_class, "stream.Scanner").token end
function scanning.err(self) return k.self(self, scanner_class, "stream.Scanner").failure end

-- What a unit waits for, for the host of a workflow (Wait of engine/steps.py).
local k = ...
local raw, unpack = k.raw, k.raw.unpack
local S = k.S

function k.waits()
  local list = {}
  local function add(kind, name, seq, deadline) list[#list + 1] = k.packed(kind, name, seq, deadline) end
  for _, channel in raw.ipairs(k.external_channels()) do
    if k.has_receiver(channel) then
      local external = channel[S].external
      add(external.kind, external.name, k.taken(channel))
    end
  end
  local ids = {}
  for id in raw.next, k.pending do ids[#ids + 1] = id end
  raw.table.sort(ids)
  for i = 1, #ids do
    local entry = k.pending[ids[i]]
    add(entry.kind, entry.name, ids[i], entry.deadline)
  end
  return k.packed(unpack(list))
end


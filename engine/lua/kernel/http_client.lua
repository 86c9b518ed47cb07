-- Requests to the world (docs/lua.md#http_client). The host does one exchange per ask; what policies say of redirects
-- and private addresses is asked here, before the next.
local k = ...
local raw, lib = k.raw, k.lib
local type, error, find, gsub = raw.type, raw.error, raw.string.find, raw.string.gsub

local OPTIONS = {
  "headers", "body", "query", "form", "files", "cookies", "auth", "timeout", "stream", "max_response_body",
  "unix_socket", "tls",
}
local MAX_ROUNDS = 32 -- more than redirects and rights can take

local function text(value, index, name, level)
  value = lib.coerce(value)
  if type(value) ~= "string" then lib.refuse(index, name, "string", value, (level or 3) + 1) end
  return value
end

-- --- what is asked of the host ------------------------------------------------------------------

--- A request of the host, from a copy of the options: policies judge what is sent. Or nil and an error.
local function request_of(method, url, options)
  local request = { method = method, url = url, checks = k.checks and true or nil, double = k.context["@doubles"] }
  if options == nil then return request end
  if lib.typeof(options) ~= "table" then return nil, k.invalid("http_client: options must be a table") end
  for i = 1, #OPTIONS do
    local name = OPTIONS[i]
    request[name] = k.copied(options[name])
  end
  if options.overlay_network ~= nil then
    return nil, k.invalid("http_client: overlay_network is not supported: there are no network overlays")
  end
  return request
end

--- Why policies refuse a request to a URL, if they do.
local function refusal(request, url, foreign)
  local _, err = k.allowed("http_client.request", url)
  if err then return err end
  if type(request.unix_socket) == "string" and request.unix_socket ~= "" then
    _, err = k.allowed("http_client.unix_socket", request.unix_socket)
    if err then return err end
  end
  if not foreign and type(request.tls) == "table" and request.tls.insecure_skip_verify then
    _, err = k.allowed("http_client.insecure_tls", url)
  end
  return err
end

local function refused(request)
  if not request.checks then return nil end
  local url, err = k.ask("http.url", request.url, request.query)
  return err or refusal(request, url, false)
end

local function not_private(addresses)
  for i = 1, #addresses do
    local ok = k.allowed("http_client.private_ip", addresses[i])
    if not ok then
      return k.failure("PermissionDenied", "not allowed: private IP " .. addresses[i], false,
        { action = "http_client.private_ip", resource = addresses[i] })
    end
  end
end

--- Let a request go on after an answer that is none yet; an error when it may not.
local function go_on(request, answer)
  request.left, request.rounds = answer.left, (request.rounds or 0) + 1
  if request.rounds > MAX_ROUNDS then return k.failure("Internal", "the request leads nowhere", false) end
  if answer.private then
    request.approved = answer.private
    return not_private(answer.private)
  end
  request.hop, request.approved = answer.hop, nil
  return request.checks and refusal(request, answer.hop.url, answer.hop.foreign) or nil
end

local function response_of(response)
  if response.stream then response.stream = k.stream(response.stream, response.size) end
  response.size = nil
  if response.body then lib.charge_bytes(#response.body) end
  return response
end

local function send(request)
  local err = refused(request)
  while not err do
    local answer
    answer, err = k.ask("http.request", request)
    if not answer then break end
    if answer.response then return response_of(answer.response), nil end
    err = go_on(request, answer)
  end
  return nil, err
end

local function perform(method, url, options)
  local request, err = request_of(method, url, options)
  if not request then return nil, err end
  return send(request)
end

-- --- several at once ----------------------------------------------------------------------------

local function entry_of(item)
  if lib.typeof(item) ~= "table" then return nil, k.invalid("http_client: a request of a batch is {method, url, options}") end
  local method, url = item[1], item[2]
  if type(method) ~= "string" or type(url) ~= "string" then
    return nil, k.invalid("http_client: a request of a batch is {method, url, options}")
  end
  local request, err = request_of(method, url, item[3])
  if not request then return nil, err end
  return request, refused(request)
end

--- One round of those that are still open: what each was answered is settled, or goes on.
local function round(open, responses, errors)
  local wanted, at = {}, {}
  for i, request in raw.next, open do at[#at + 1] = i end
  raw.table.sort(at)
  for n = 1, #at do wanted[n] = open[at[n]] end
  local answers, failed = k.ask("http.batch", wanted)
  for n = 1, #at do
    local i = at[n]
    local answer = answers and answers[n] or { error = failed }
    local err = answer.error or not answer.response and go_on(open[i], answer) or nil
    if answer.response then responses[i] = response_of(answer.response) end
    if err then errors[i] = err end
    if err or answer.response then open[i] = nil end
  end
end

local function batch(requests)
  if lib.typeof(requests) ~= "table" then lib.refuse(1, "request_batch", "table", requests, 3) end
  local count, open, responses, errors = #requests, {}, {}, {}
  for i = 1, count do
    local request, err = entry_of(requests[i])
    if err then errors[i] = err else open[i] = request end
  end
  while raw.next(open) do round(open, responses, errors) end
  if not raw.next(errors) then return responses, nil end
  for i = 1, count do errors[i] = errors[i] or false end -- ipairs goes on over those that have none
  return responses, errors
end

-- --- texts in URLs ------------------------------------------------------------------------------

local escapes, meanings

local function fill()
  escapes, meanings = {}, {}
  for code = 0, 255 do
    local letter = raw.string.char(code)
    escapes[letter] = raw.string.format("%%%02X", code)
    for _, form in raw.ipairs { "%02X", "%02x" } do meanings["%" .. raw.string.format(form, code)] = letter end
    local high, low = code // 16, code % 16
    meanings[raw.string.format("%%%X%x", high, low)], meanings[raw.string.format("%%%x%X", high, low)] = letter, letter
  end
end

local function encode_uri(value)
  value = text(value, 1, "encode_uri")
  lib.charge_bytes(#value * 8)
  if not escapes then fill() end
  return (gsub(gsub(value, "[^%w%-_.~ ]", escapes), " ", "+"))
end

local function decode_uri(value)
  value = text(value, 1, "decode_uri")
  lib.charge_bytes(#value * 8)
  if not escapes then fill() end
  if find(value, "%%%X") or find(value, "%%%x%X") or find(value, "%%%x?$") then
    return nil, k.invalid("http_client.decode_uri: a % must have two hexadecimal digits behind it")
  end
  return (gsub(gsub(value, "+", " "), "%%%x%x", meanings)), nil
end

-- --- the module ---------------------------------------------------------------------------------

local fields = {
  request = function(method, url, options)
    return perform(text(method, 1, "request"), text(url, 2, "request"), options)
  end,
  request_batch = batch,
  encode_uri = encode_uri,
  decode_uri = decode_uri,
}

for _, method in raw.ipairs { "get", "post", "put", "patch", "delete", "head" } do
  fields[method] = function(url, options)
    return perform(raw.string.upper(method), text(url, 1, method), options)
  end
end

k.modules.http_client = k.library(fields)

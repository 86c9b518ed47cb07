-- Requests that functions answer (docs/lua.md#http). The host has the request and its answer, by a token of the context
-- that functions called by the one that answers have as well.
local k = ...
local raw, lib = k.raw, k.lib
local type, lower, gmatch, gsub = raw.type, raw.string.lower, raw.string.gmatch, raw.string.gsub

local TOKEN = "@http"
local MAX_BODY = 120 * 1024 * 1024 -- of the reference; what the endpoint lets in is less

local asking, answering, file = {}, {}, {}
local request_class, response_class = k.class("http.Request", asking), k.class("http.Response", answering)
local file_class = k.class("http.File", file)

local function ask(what, state, ...) return k.ask("serving." .. what, state.token, ...) end

--- What is known of the request of this unit: facts, or nil and an error.
local function found()
  local token = k.context[TOKEN]
  if type(token) ~= "string" then return nil, k.failure("Internal", "no HTTP context: this code answers no request", false) end
  local facts, err = k.ask("serving.request", token)
  if not facts then return nil, err end
  facts.token = token
  return facts, nil
end

local function text(value, index, name)
  value = lib.coerce(value)
  if type(value) ~= "string" then lib.refuse(index, name, "string", value, 4) end
  return value
end

-- --- requests -----------------------------------------------------------------------------------

local function of(self) return k.self(self, request_class, "http.Request") end

-- Values of one name as one text, where they stand in a list of pairs.
local function joined(pairs_, by, key)
  local all = {}
  for i = 1, #pairs_ do
    local name, value = key and key(pairs_[i][1]) or pairs_[i][1], pairs_[i][2]
    all[name] = all[name] and all[name] .. by .. value or value
  end
  return all
end

local function header_of(state, name)
  name = lower(name)
  state.by_name = state.by_name or joined(state.headers, ", ")
  return state.by_name[name]
end

-- The type of a Content-Type, or of one of an Accept, without parameters.
local function media(value) return lower(raw.string.match(value, "^%s*([^;%s]*)")) end

for _, name in raw.ipairs { "method", "path", "host" } do
  asking[name] = function(self) return of(self)[name], nil end
end

function asking.remote_addr(self) return of(self).remote, nil end
function asking.content_type(self) return header_of(of(self), "content-type"), nil end
function asking.content_length(self) return of(self).size, nil end
function asking.has_body(self) return of(self).size > 0, nil end

function asking.header(self, name)
  local state = of(self)
  return header_of(state, text(name, 1, "header")), nil
end

--- {Name = value} of all headers.
function asking.headers(self)
  return joined(of(self).headers, ", ", function(name)
    return (gsub(name, "[^-]+", function(part)
      return raw.string.upper(raw.string.sub(part, 1, 1)) .. raw.string.sub(part, 2)
    end))
  end), nil
end

--- The first value of that name.
function asking.query(self, name)
  local state = of(self)
  name = text(name, 1, "query")
  for i = 1, #state.query do
    if state.query[i][1] == name then return state.query[i][2], nil end
  end
  return nil, nil
end

function asking.query_params(self) return joined(of(self).query, ","), nil end

function asking.param(self, name)
  local state = of(self)
  return state.params[text(name, 1, "param")], nil
end

function asking.params(self) return k.copied(of(self).params), nil end

function asking.is_content_type(self, wanted)
  local given = header_of(of(self), "content-type")
  return given ~= nil and media(given) == media(text(wanted, 1, "is_content_type")), nil
end

--- Whether a type, its kind or anything is among the accepted; not where nothing is said.
function asking.accepts(self, wanted)
  local given = header_of(of(self), "accept")
  wanted = media(text(wanted, 1, "accepts"))
  local group = gsub(wanted, "/.*", "/*")
  for each in gmatch(given or "", "[^,]+") do
    local accepted, weight = media(each), raw.string.match(each, ";%s*[qQ]%s*=%s*([%d.]+)")
    if (accepted == wanted or accepted == group or accepted == "*/*") and raw.tonumber(weight or "1") ~= 0 then
      return true, nil
    end
  end
  return false, nil
end

-- --- bodies -------------------------------------------------------------------------------------

local function body(state)
  local data, err = ask("body", state, state.most)
  if not data then return nil, err end
  lib.charge_bytes(#data)
  return data, nil
end

function asking.body(self) return body(of(self)) end

local function unparsed(message)
  return k.failure("Invalid", message, false, { type = "PARSE_FAILED" })
end

function asking.body_json(self)
  local data, err = body(of(self))
  if not data then return nil, err end
  if data == "" then return nil, unparsed("body_json: the body is empty") end
  local value
  value, err = k.codecs.json.decode(data)
  if err then return nil, unparsed((gsub(err:message(), "^json%.decode", "body_json"))) end
  return value, nil
end

local function opened(answer, err)
  if not answer then return nil, err end
  return k.stream(answer.handle, answer.size), nil
end

function asking.stream(self) return opened(ask("stream", of(self))) end

--- {values, files}: a value that came several times is a list, files always are.
function asking.parse_multipart(self, max_memory)
  local state = of(self)
  if max_memory ~= nil and type(max_memory) ~= "number" then lib.refuse(1, "parse_multipart", "number", max_memory, 3) end
  local form, err = ask("form", state)
  if not form then return nil, err end
  for _, list in raw.next, form.files do
    for i = 1, #list do
      list[i].token = state.token
      list[i] = k.new(file_class, list[i])
    end
  end
  return form, nil
end

local function of_file(self) return k.self(self, file_class, "http.File") end

function file.name(self) return of_file(self).name, nil end

function file.size(self)
  local state = of_file(self)
  return state["end"] - state.start, nil
end

function file.header(self, name)
  local state = of_file(self)
  return state.headers[lower(text(name, 1, "header"))], nil
end

function file.stream(self)
  local state = of_file(self)
  return opened(ask("file", state, state.start, state["end"]))
end

-- --- writes -------------------------------------------------------------------------------------
-- Small ones of a function wait for each other, since each costs a round to the host; they go before whatever else it
-- asks for, and at its end. The first one does not: it tells whether anything can be written.

local PIECE = 16384
local command = k.command
local waiting, size, under_way, may_wait = {}, 0, 0, false

local function write_now(data, kind)
  under_way = under_way + 1
  local _, err = command("ask", "serving.write", "serving.write", k.packed(k.context[TOKEN], data, kind))
  under_way = under_way - 1
  may_wait = not err and k.kind == "function"
  return err
end

local function write_out()
  if size == 0 then return nil end
  local data = raw.table.concat(waiting)
  waiting, size = {}, 0
  return write_now(data)
end

local function write(data, kind)
  if not may_wait or #data >= PIECE then return write_out() or write_now(data, kind) end
  waiting[#waiting + 1], size = data, size + #data
  if size >= PIECE then return write_out() end
  return nil
end

function k.command(...)
  write_out()
  return command(...)
end

function k.at_end()
  write_out()
  if under_way > 0 then write_now("") end -- behind those of other tasks
end

-- --- responses: what each returns is an error or nil ---------------------------------------------

local function answer_of(self) return k.self(self, response_class, "http.Response") end

local function told(what, state, ...)
  local _, err = ask(what, state, ...)
  if err then may_wait = false end
  return err
end

function answering.set_status(self, status)
  local state = answer_of(self)
  local whole = type(status) == "number" and raw.math.tointeger(status)
  if not whole then lib.refuse(1, "set_status", "integer", status, 3) end
  return told("status", state, whole)
end

function answering.set_header(self, name, value)
  local state = answer_of(self)
  return told("header", state, text(name, 1, "set_header"), text(value, 2, "set_header"))
end

function answering.set_content_type(self, value)
  local state = answer_of(self)
  return told("header", state, "Content-Type", text(value, 1, "set_content_type"))
end

function answering.set_transfer(self, mode)
  local state = answer_of(self)
  return told("transfer", state, text(mode, 1, "set_transfer"))
end

function answering.write(self, data)
  answer_of(self)
  return write(text(data, 1, "write"))
end

function answering.write_json(self, value)
  answer_of(self)
  local data, err = k.codecs.json.encode(value)
  if not data then return err end
  return write(data, "application/json")
end

--- An event of {name, data}: data as JSON, which has no line breaks.
function answering.write_event(self, event)
  local state = answer_of(self)
  if lib.typeof(event) ~= "table" then lib.refuse(1, "write_event", "table", event, 3) end
  local name, value = event.name, event.data
  if type(name) ~= "string" or name == "" or raw.string.find(name, "[\r\n%z]") then
    return k.invalid("write_event: name must be a text of one line")
  end
  if value == nil then return k.invalid("write_event: data is required") end
  local data, err = k.codecs.json.encode(value)
  if not data then return err end
  return told("event", state, "event: " .. name .. "\ndata: " .. data .. "\n\n")
end

function answering.flush(self) return told("flush", answer_of(self)) end

-- --- the module ---------------------------------------------------------------------------------

local function positive(options, name, default)
  local value = options[name]
  if value == nil then return default end
  if type(value) ~= "number" or value <= 0 then
    return nil, k.invalid("http.request: " .. name .. " must be a positive number")
  end
  return value
end

--- The request that this code answers. Its body is there already: a timeout has nothing to wait for.
local function request(options)
  if options ~= nil and lib.typeof(options) ~= "table" then lib.refuse(1, "request", "table", options, 3) end
  options = options or {}
  local _, late = positive(options, "timeout")
  local most, err = positive(options, "max_body", MAX_BODY)
  if late or err then return nil, late or err end
  local state
  state, err = found()
  if not state then return nil, err end
  state.most = most
  return k.new(request_class, state), nil
end

local function response()
  local state, err = found()
  if not state then return nil, err end
  return k.new(response_class, { token = state.token }), nil
end

local function same(names)
  local t = {}
  for name in gmatch(names, "%S+") do t[name] = name end
  return k.library(t)
end

k.modules.http = k.library {
  request = request,
  response = response,
  METHOD = same "GET POST PUT DELETE PATCH HEAD OPTIONS",
  ERROR = same "PARSE_FAILED INVALID_STATE WRITE_FAILED STREAM_ERROR",
  TRANSFER = k.library { CHUNKED = "chunked", SSE = "sse" },
  CONTENT = k.library {
    JSON = "application/json", FORM = "application/x-www-form-urlencoded", MULTIPART = "multipart/form-data",
    TEXT = "text/plain", STREAM = "application/octet-stream",
  },
  STATUS = k.library {
    OK = 200, CREATED = 201, ACCEPTED = 202, NO_CONTENT = 204, PARTIAL_CONTENT = 206,
    MOVED_PERMANENTLY = 301, FOUND = 302, SEE_OTHER = 303, NOT_MODIFIED = 304, TEMPORARY_REDIRECT = 307,
    PERMANENT_REDIRECT = 308,
    BAD_REQUEST = 400, UNAUTHORIZED = 401, PAYMENT_REQUIRED = 402, FORBIDDEN = 403, NOT_FOUND = 404,
    METHOD_NOT_ALLOWED = 405, NOT_ACCEPTABLE = 406, CONFLICT = 409, GONE = 410, UNPROCESSABLE = 422,
    TOO_MANY_REQUESTS = 429,
    INTERNAL_ERROR = 500, INTERNAL_SERVER_ERROR = 500, NOT_IMPLEMENTED = 501, BAD_GATEWAY = 502,
    SERVICE_UNAVAILABLE = 503, GATEWAY_TIMEOUT = 504, VERSION_NOT_SUPPORTED = 505,
  },
}

--- 11 Small modules: logger
local M = {}

-- modules: logger
--- Every level takes a message and fields, and returns nothing
function M.levels()
  assert(type(logger) == "userdata")
  for _, level in ipairs { "debug", "info", "warn", "error" } do
    assert(select("#", logger[level](logger, "message")) == 0)
    assert(select("#", logger[level](logger, "message", { key = "value", deep = { 1, { x = true } }, f = print })) == 0)
    logger[level](logger, 5, "no table")
    logger[level](logger, errors.new("an error"))
    logger[level](logger)
  end
end

-- modules: logger
--- with and named give other loggers; the first one stays as it is
function M.children()
  local child = logger:with({ request = 1 })
  assert(type(child) == "userdata" and child ~= logger)
  child:named("a"):named("b"):with({ more = 2 }):info("message", { request = 3 })
  assert(not pcall(child.with, child) and not pcall(child.with, child, "x"))
end

-- modules: logger
--- An empty name, or none, raises; so does a call without the colon
function M.misuse()
  assert(not pcall(logger.named, logger, "") and not pcall(logger.named, logger) and not pcall(logger.named, logger, 5))
  assert(not pcall(logger.info, "message"))
end

-- modules: logger
--- Fields in a circle and texts that are not UTF-8 do no harm
function M.odd_fields()
  local loop = {}
  loop.loop = loop
  logger:info("circle", loop)
  logger:info("bytes \255\0", { ["\255"] = "\254", [5] = 1, [true] = 2 })
  print("bytes \255", nil, {}, errors.new("x"))
end

return M

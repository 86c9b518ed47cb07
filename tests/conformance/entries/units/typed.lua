type Order = { id: integer, tags?: {string} }

local function tag_count(order: Order): integer
  local tags: {string}? = order.tags
  return tags and #(tags :: {string}) or 0
end

return { main = function(order: Order): (integer, string?) return tag_count(order) end }

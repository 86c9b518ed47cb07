return { main = function() return "alone" end }

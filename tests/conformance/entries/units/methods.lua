return { first = function() return 1 end, second = function() return 2 end }

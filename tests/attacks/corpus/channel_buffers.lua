-- Channels with huge buffers.
-- kinds: function process workflow
-- ends: LimitExceeded Internal Invalid
-- cost: dear
return function(...)
    local t = {}
    while true do t[#t + 1] = channel.new(1 << 40) end
end

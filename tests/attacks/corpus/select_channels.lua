-- select over ten thousand channels, again and again.
-- kinds: function process workflow
-- ends: LimitExceeded
-- cost: dear
return function(...)
    local cases = {}
    for i = 1, 10000 do cases[i] = channel.new(1):case_receive() end
    cases.default = true
    while true do channel.select(cases) end
end

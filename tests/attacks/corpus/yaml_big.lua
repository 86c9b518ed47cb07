-- YAML of megabytes.
-- kinds: function process workflow
-- ends: LimitExceeded Invalid Internal
-- cost: dear
return function(...)
    local text = ("- [1, 2, {a: b}]\n"):rep(200000)
    while true do local value, why = yaml.decode(text) if why then error(why) end end
end

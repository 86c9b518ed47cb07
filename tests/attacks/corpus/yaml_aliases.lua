-- YAML whose aliases double.
-- kinds: function process workflow
-- ends: LimitExceeded Invalid Internal
-- cost: cheap
return function(...)
    local lines = { "a0: &a0 [x, x, x, x, x, x, x, x, x, x]" }
    for i = 1, 12 do lines[#lines + 1] = ("a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]"):format(i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1) end
    local value, why = yaml.decode(table.concat(lines, "\n"))
    if why then error(why) end
    return value
end

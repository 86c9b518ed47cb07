-- A table two hundred thousand deep, as a result.
-- kinds: function process workflow
-- ends: LimitExceeded Invalid Internal Internal
-- cost: cheap
return function(...)
    local t = {}
    for _ = 1, 200000 do t = { t } end
    return t
end

-- Entry ids, topics and names of ten megabytes.
-- kinds: function process workflow
-- ends: returned LimitExceeded Invalid Internal
-- cost: dear
return function(...)
    local name = ("x"):rep(10000000)
    for _ = 1, 20 do
        funcs.call(name) process.send(name, name) process.send(process.pid(), name)
        process.spawn(name, name) process.registry.register(name) process.listen(name)
    end
end

-- Collects the numbers it is sent until it has as many as "finish" names.
local function main()
    local items = process.listen("item")
    local finish = process.listen("finish")
    local seen, wanted = {}, nil
    while not wanted or #seen < wanted do
        local got = channel.select{items:case_receive(), finish:case_receive()}
        if got.channel == finish then
            wanted = got.value.count
        else
            seen[#seen + 1] = got.value.number
        end
    end
    return {seen = seen}
end

return {main = main}

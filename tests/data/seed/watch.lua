local events = process.events()
local pid = process.spawn("app.workflows:order", "app:temporal_worker", data)

for event in events:iter() do
    if event.pid == pid and event.type == "EXIT" then
        -- workflow completed or failed
        break
    end
end

-- Asks the managers; the approvers too when nobody answers in time, which the input says.
local function main(handover: {patience: string})
    local answer = process.listen("handover", {ask = {
        title = "Who takes over the night shift?",
        groups = {"managers"},
        escalate = {after = handover.patience, to = "approvers"},
        payloads = {["I do"] = {taken = true}},
    }}):receive()
    return {taken = answer.taken}
end

return {main = main}

-- Asks one person, whom the input names.
type Review = {document: string, reviewer?: string}

local function main(review: Review)
    local verdict = process.listen("verdict"):receive()
    return {document = review.document, ready = verdict.ready, remarks = verdict.remarks}
end

return {main = main}

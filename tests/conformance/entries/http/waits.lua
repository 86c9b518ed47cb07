local function main(url, parent)
  process.send(parent, "begins", process.pid())
  local _, err = http_client.get(url, { timeout = "10m" })
  process.send(parent, "ended", err:kind(), err:retryable())
end

return { main = main }

local function main(url, options)
  local resp, err = http_client.get(url, options)
  if err then return nil, err end
  return resp.status_code
end

return { main = main }

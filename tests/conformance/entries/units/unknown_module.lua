local ok, why = pcall(require, "no_such_module")
return function()
  local fs_ok, fs_why = pcall(require, "fs")
  return { ok = ok or fs_ok, why = why, fs_why = fs_why, json = json.encode(1), global = fs == nil }
end

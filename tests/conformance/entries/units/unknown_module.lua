local ok, why = pcall(require, "no_such_module")
return function()
  local sql_ok, sql_why = pcall(require, "sql")
  return { ok = ok or sql_ok, why = why, sql_why = sql_why, json = json.encode(1), global = sql == nil }
end

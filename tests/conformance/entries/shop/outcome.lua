-- A result as a tagged union, the way typed applications write it.
type Good<T> = { ok: true, value: T }
type Bad = { ok: false, error: string }
type Outcome<T> = Good<T> | Bad

local Outcome = {}
Outcome.__index = Outcome

function Outcome.good<T>(value: T): Outcome<T>
  return setmetatable({ ok = true, value = value }, Outcome) as Outcome<T>
end

function Outcome.bad(text: string): Bad
  return setmetatable({ ok = false, error = text }, Outcome) :: Bad
end

function Outcome:map<T, U>(fn: (T) -> U): Outcome<U>
  if not self.ok then return self end
  return Outcome.good(fn((self :: any).value))
end

return Outcome

-- Upgrading itself for ever.
-- kinds: process
-- ends: waiting LimitExceeded
-- cost: dear
return function(...)
    process.upgrade()
end

local function shown(cents: number): string
    return string.format("%d.%02d", cents // 100, cents % 100)
end

return {shown = shown}

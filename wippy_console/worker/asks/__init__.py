"""The console's tables behind what Lua code asks for (`engine/asks`): the registry and token stores."""

"""The corpus of attacks: Lua that means harm, a file each, run on a node of its own beside a neighbour that is timed.

`make attack` runs all and prints a table of what they cost; the suite runs the cheap ones.
"""

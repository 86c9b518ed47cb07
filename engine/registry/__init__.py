"""The registry as pure functions: entries from YAML, what kinds require, references, changes, linked programs.

The way of a YAML entry to its program: `tree` reads files (by `documents`), `changes` compares them with the version
that there is, `validate` checks the whole (`fields` each entry by `kinds` and `shapes`; `references`, `imports` and
`contexts` what they are to each other), `linking` makes programs. What is wrong becomes a list of `problems`.
"""

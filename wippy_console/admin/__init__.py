"""The Django admin of every model: everybody sees what their permissions say, nobody changes what services wrote."""

from wippy_console.admin import decisions, drafts, feed, fleet, people, registry, runs, tokens

__all__ = ["decisions", "drafts", "feed", "fleet", "people", "registry", "runs", "tokens"]

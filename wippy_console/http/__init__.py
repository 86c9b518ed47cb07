"""What every HTTP request passes: middleware, the context of all templates, the ids in addresses."""

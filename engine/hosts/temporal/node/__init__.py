"""Nodes among each other, and how consoles reach them: standalone activities, `wippy.*`."""

"""The door of other systems, `/hooks/`: an ASGI application beside Django's, without sessions, cookies or pages."""

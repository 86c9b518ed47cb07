"""What the actor host itself answers to `Ask`: names, and the event bus."""

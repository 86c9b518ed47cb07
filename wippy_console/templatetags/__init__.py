"""What templates draw with: icons, states, times, events as sentences, bars of the timeline."""

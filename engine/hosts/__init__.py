"""What runs units: actors in memory and workflows on Temporal. The two hosts do not know each other."""

"""The pytest plugin for tests of apps."""

"""Figures to reach, each a ratio measured within one run on one machine; never asserted in a test."""

"""Whom units act for, and what policies say of an action: pure."""

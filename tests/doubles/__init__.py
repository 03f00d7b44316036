"""Doubles of vendors, for the tests."""

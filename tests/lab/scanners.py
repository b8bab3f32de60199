"""To come."""

TESTS = []

"""Finding, pacing, opening and watching attempts."""

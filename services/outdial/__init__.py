"""The outdial service: lists of people to reach, the claims on them, and their import."""

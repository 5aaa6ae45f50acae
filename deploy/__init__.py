"""What runs the system in containers; everything here also works without them."""

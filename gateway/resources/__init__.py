"""One module per resource: its request fields, its members and its rows of the route table."""

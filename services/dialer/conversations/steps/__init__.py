"""What each action does, as pure functions of an execution, its options and the time."""

"""What happens on answered calls: flows, queues and agents' phones."""

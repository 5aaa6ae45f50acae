"""The whole system on one machine: folders, keys, ports, processes, and the watch over them."""

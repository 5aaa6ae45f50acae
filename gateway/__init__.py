"""The public edge: HTTP, JSON and server-sent events in front of the services' gRPC.

Owns customers and access keys; every other resource belongs to a service and is only presented here.
"""

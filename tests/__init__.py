"""Tests of Outbound. Every folder below is a package too (see CONTRIBUTING)."""

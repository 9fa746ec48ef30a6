"""The testbed: real programs in network namespaces of their own, recorded with exact labels."""

"""The servers of the recorded network, one module a trade; each exports SERVICES."""

"""How real is made traffic: its benign flows beside those of captures from real networks."""

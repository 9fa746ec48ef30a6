"""Attacks: scenarios that real tools carry out against our own servers."""

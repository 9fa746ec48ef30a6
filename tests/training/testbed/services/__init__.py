"""Tests of the servers of the recorded network."""

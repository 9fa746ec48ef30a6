"""Tests of what people and their machines do on the recorded network."""

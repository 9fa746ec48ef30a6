"""Tests of what attackers do."""

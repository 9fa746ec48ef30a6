"""The benchmarks: that they measure what they say they measure. Nothing here is timed."""

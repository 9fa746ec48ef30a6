"""Time and memory of the sensor, stage by stage, with NFStream beside it."""

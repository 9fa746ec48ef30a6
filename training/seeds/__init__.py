"""The models that this project began with, each on its own data set, done properly and judged."""

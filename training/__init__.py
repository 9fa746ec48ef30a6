"""From labelled flows to a detector worth shipping, with its card."""

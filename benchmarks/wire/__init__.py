"""How much of a wire the daemon can watch: rates without loss, with other programs beside it."""

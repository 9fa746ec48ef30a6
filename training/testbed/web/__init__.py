"""The web of the recorded network: sites and their pages, the server behind them, how they are asked."""

"""What hosts say to each other as sequences of words: tokens, windows, language models, figures."""

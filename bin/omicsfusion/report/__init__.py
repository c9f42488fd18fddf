"""The page that people read: words, figures and tables made from what was published."""

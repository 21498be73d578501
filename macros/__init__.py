"""What a page can show: macros, each a function with typed arguments, drawn by the templates in templates/."""

"""The Flask application, its templates and its browser side."""

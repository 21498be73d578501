"""Health: checks of the platform, what they last found, and the state of the whole."""

"""The Docs space, the reference of the macros, the tutorial and the skeletons."""

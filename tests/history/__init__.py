"""Tests of the writing side of the wiki."""

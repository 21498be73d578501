"""Rows of the cloud's documents as the answers that clients expect, by kind: each type beside what fills it.

Field names are those of existing clients, so spellings differ between lists and single objects. The functions take
plain rows; what a list needs from other collections is looked up once for the whole list.
"""

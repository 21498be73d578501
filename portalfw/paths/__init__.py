"""The network between nodes, measured on demand: how long answers take, how many are lost, how much it carries."""

"""Return what JSON cannot hold."""

descr = "Return what JSON cannot hold"


def action(huge: bool = False) -> object:
    return 2**70 if huge else {"disks": [{"size": 1}, {"size": {1, 2}}]}

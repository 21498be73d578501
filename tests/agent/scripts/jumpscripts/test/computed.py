"""Have a header that is not made of literals."""

descr = "Header" + str(1)


def action():
    raise SystemExit

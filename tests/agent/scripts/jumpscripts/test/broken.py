descr = "Not Python"

def action(:

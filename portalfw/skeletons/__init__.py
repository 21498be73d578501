"""Working examples that new content begins as, one folder a kind; see :mod:`portalfw.skeletons.new_content`."""

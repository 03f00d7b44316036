import tap
tap.ok("placeholder", True); tap.done()

from hypothesis import settings

# How long an example takes on a busy machine says nothing about the firmware.
settings.register_profile("firmware", deadline=None)
settings.load_profile("firmware")

"""A module in the application's folder."""
MESSAGE = b'imported from the folder of --chdir'

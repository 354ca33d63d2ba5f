"""What asynwsgi costs beside a bare loop and other servers: see ../bench.py."""

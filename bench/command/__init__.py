"""asynwsgi-bench: load is put on a server by asynwsgi-load, and what comes of it is reported here."""

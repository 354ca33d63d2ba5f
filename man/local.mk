dist_man_MANS = man/asynwsgi.1

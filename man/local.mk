dist_man_MANS = man/asynwsgi.1 man/asynwsgi-target.7

dist_man_MANS = man/asynwsgi.1 man/asynwsgi-httpclient.3

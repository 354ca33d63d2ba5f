dist_man_MANS = \
	man/asynwsgi.1 \
	man/asynwsgi-dispatch.3 \
	man/asynwsgi-http.3 \
	man/asynwsgi-http_server.3 \
	man/asynwsgi-httpclient.1 \
	man/asynwsgi-httpclient.3 \
	man/asynwsgi-sclients.1 \
	man/asynwsgi-target.7 \
	man/asynwsgi-tcpsocket.3

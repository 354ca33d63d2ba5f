# Each name has its source beside it: t/wsgi/NAME.cc.
wsgi_tests = \
	t/wsgi/environ_test \
	t/wsgi/file_wrapper_test \
	t/wsgi/input_test \
	t/wsgi/interpreter_test \
	t/wsgi/load_test \
	t/wsgi/pieces_test \
	t/wsgi/pool_test \
	t/wsgi/response_test \
	t/wsgi/spare_test \
	t/wsgi/spool_test \
	t/wsgi/start_response_test \
	t/wsgi/steady_test \
	t/wsgi/streams_test \
	t/wsgi/validate_test \
	t/wsgi/venv_test \
	t/wsgi/wait_test \
	t/wsgi/window_test
wsgi_test_files = \
	t/wsgi/fixture.h
EXTRA_DIST += $(wsgi_test_files)

$(wsgi_tests): $(wsgi_lib) $(test_lib)
t/wsgi/%: private AM_CPPFLAGS = $(test_inc) $(wsgi_inc) $(PYTHON_CPPFLAGS)
t/wsgi/%: private LDADD = $(wsgi_lib) $(test_link) $(PYTHON_LIBS)
t/wsgi/file_wrapper_%: private LDADD = $(wsgi_lib) $(test_link) $(PYTHON_LIBS) \
	-Wl,--wrap=sendfile

e2e_tests = \
	t/e2e/test_backends.py \
	t/e2e/test_bottle.py \
	t/e2e/test_budget.py \
	t/e2e/test_calls.py \
	t/e2e/test_cli.py \
	t/e2e/test_conformance.py \
	t/e2e/test_contexts.py \
	t/e2e/test_curl.py \
	t/e2e/test_django.py \
	t/e2e/test_examples.py \
	t/e2e/test_extensions.py \
	t/e2e/test_falcon.py \
	t/e2e/test_faults.py \
	t/e2e/test_file_wrapper.py \
	t/e2e/test_flask.py \
	t/e2e/test_input.py \
	t/e2e/test_instructions.py \
	t/e2e/test_libraries.py \
	t/e2e/test_limits.py \
	t/e2e/test_load.py \
	t/e2e/test_manual.py \
	t/e2e/test_memory.py \
	t/e2e/test_middleware.py \
	t/e2e/test_pep3333.py \
	t/e2e/test_pep3333_examples.py \
	t/e2e/test_phases.py \
	t/e2e/test_pieces.py \
	t/e2e/test_probes.py \
	t/e2e/test_processes.py \
	t/e2e/test_profile.py \
	t/e2e/test_proxies.py \
	t/e2e/test_references.py \
	t/e2e/test_refused.py \
	t/e2e/test_slow.py \
	t/e2e/test_soak.py \
	t/e2e/test_streaming.py \
	t/e2e/test_strict.py \
	t/e2e/test_targets.py \
	t/e2e/test_threads.py \
	t/e2e/test_timeouts.py \
	t/e2e/test_vanishing.py \
	t/e2e/test_waiting.py
# Those of the clients and load programs, which differ neither by Python nor by the back end of a server.
load_tests = \
	t/e2e/test_bench_cleanup.py \
	t/e2e/test_bench_command.py \
	t/e2e/test_bench_figures.py \
	t/e2e/test_bench_page.py \
	t/e2e/test_bench_servers.py \
	t/e2e/test_bench_wrong.py \
	t/e2e/test_bulkfetch.py \
	t/e2e/test_load_program.py \
	t/e2e/test_oneraw.py \
	t/e2e/test_sclients.py
e2e_files = \
	t/e2e/apps/beside.py \
	t/e2e/apps/bottle_site.py \
	t/e2e/apps/contexts.py \
	t/e2e/apps/djangosite/settings.py \
	t/e2e/apps/djangosite/shelf/__init__.py \
	t/e2e/apps/djangosite/shelf/migrations/0001_initial.py \
	t/e2e/apps/djangosite/shelf/migrations/__init__.py \
	t/e2e/apps/djangosite/shelf/models.py \
	t/e2e/apps/djangosite/shelf/templates/add.html \
	t/e2e/apps/djangosite/shelf/templates/shelf.html \
	t/e2e/apps/djangosite/shelf/views.py \
	t/e2e/apps/djangosite/site_wsgi.py \
	t/e2e/apps/djangosite/urls.py \
	t/e2e/apps/falcon_site.py \
	t/e2e/apps/files.py \
	t/e2e/apps/flask_site.py \
	t/e2e/apps/middleware.py \
	t/e2e/apps/mounts.py \
	t/e2e/apps/notes.py \
	t/e2e/apps/pep3333.py \
	t/e2e/apps/pep3333_examples.py \
	t/e2e/apps/phases.py \
	t/e2e/apps/pooled.py \
	t/e2e/apps/streaming.py \
	t/e2e/apps/strict.py \
	t/e2e/apps/waiting.py \
	t/e2e/backends.py \
	t/e2e/benching.py \
	t/e2e/command.py \
	t/e2e/conftest.py \
	t/e2e/hostile.py \
	t/e2e/peer.py \
	t/e2e/proxy.py \
	t/e2e/run \
	t/e2e/serving.py \
	t/e2e/targets/witness.c

TESTS += $(e2e_tests) $(load_tests)
EXTRA_DIST += $(e2e_tests) $(load_tests) $(e2e_files)

# The command with Python as a shared library, for tests that tell the two apart by their places.
EXTRA_PROGRAMS += t/e2e/shared
check_DATA = t/e2e/shared
CLEANFILES += t/e2e/shared
t_e2e_shared_CPPFLAGS = $(cli_inc)
t_e2e_shared_LDADD = $(cli_lib) $(PYTHON_LIBS)
t_e2e_shared_LDFLAGS = $(asynwsgi_LDFLAGS)
EXTRA_t_e2e_shared_DEPENDENCIES = cli/exports
t_e2e_shared_SOURCES = cli/main.c

# What has system calls fail, for test_faults.py. It is no library of ours, and not instrumented.
faults = t/e2e/faults.so t/e2e/faults-calls.so
check_DATA += $(faults)
t/e2e/faults-calls.so: faults_flags = -DCALLS_ONLY
$(faults): t/e2e/faults.c
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(CC) -std=c17 $(WARN_CFLAGS) $(CFLAGS) \
		$(faults_flags) -shared -fPIC -o $@ $<
EXTRA_DIST += t/e2e/faults.c
CLEANFILES += $(faults)

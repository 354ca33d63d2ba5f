/* The options. */
#include "options.h"

#define PLACE(member)                               \
    .place = offsetof(struct cli_settings, member), \
    .width = sizeof((struct cli_settings *)0)->member

/* So that no sum of two times is out of range. */
#define YEAR 31536000000000000

const struct cli_option cli_options[] = {
    {.help = "Application"},
    {"chdir", "DIR", .kind = &cli_kind_text, PLACE(folder),
     .help = "enter this folder first; other paths are relative to it"},
    {"pythonpath", "DIR[:DIR...]", .kind = &cli_kind_paths, PLACE(python_path),
     .help = "put before sys.path"},
    {"venv", "DIR", .kind = &cli_kind_text, PLACE(server.wsgi.virtual_env),
     .variable = "VIRTUAL_ENV", .help = "virtual environment with the packages; or VIRTUAL_ENV"},
    {"env", "NAME=VALUE", .letter = 'e', .kind = &cli_kind_variables, PLACE(variables),
     .help = "set a variable of the environment"},
    {"factory", .kind = &cli_kind_switch, PLACE(server.wsgi.factory),
     .help = "OBJECT is to be called, and gives the application"},
    {"streaming", "PATH", .kind = &cli_kind_prefixes, PLACE(streaming),
     .help = "call it before the body has arrived, for this path and\n"
             "what is below it; may be repeated"},
    {"check-config", .kind = &cli_kind_switch, PLACE(check),
     .help = "check the options, load plug-ins and application, and exit"},

    {.help = "Sockets and processes"},
    {"bind", "ADDRESS", .letter = 'b', .kind = &cli_kind_list, PLACE(binds),
     .help = "HOST:PORT, [V6]:PORT, unix:PATH, unix:@NAME or fd://N\n"
             "(default: 127.0.0.1:8000, or 0.0.0.0:$PORT)"},
    {"backlog", "N", .kind = &cli_kind_number, PLACE(server.backlog), 1, INT32_MAX,
     .help = "connections that may wait for a worker"},
    {"workers", "N|auto", .letter = 'w', .kind = &cli_kind_workers, PLACE(server.workers), 1, 1024,
     .variable = "WEB_CONCURRENCY", .help = "worker processes; auto: one for each CPU"},
    {"threads", "N", .kind = &cli_kind_number, PLACE(server.wsgi.threads), 1, 1024,
     .help = "that run the application in each worker"},
    {"switch-interval", "TIME", .kind = &cli_kind_duration, PLACE(server.wsgi.switch_interval), 0,
     YEAR, .help = "of Python's threads; 0: Python's own"},
    {"queue", "N", .kind = &cli_kind_number, PLACE(server.wsgi.queue), 0, INT32_MAX,
     .help = "requests that may wait for one"},
    {"queue-timeout", "TIME", .kind = &cli_kind_duration, PLACE(server.wsgi.queue_timeout), 0, YEAR,
     .help = "for a request to wait so, before it gets 503"},
    {"graceful-timeout", "TIME", .kind = &cli_kind_duration, PLACE(server.graceful_timeout), 0,
     YEAR, .help = "for requests under way when told to stop"},
    {"backend", "NAME", .kind = &cli_kind_backend, PLACE(server.backend),
     .help = "event loop: epoll, the default, or poll"},
    {"target", "FILE[:ARGS]", .kind = &cli_kind_targets, PLACE(targets),
     .help = "plug-in, a shared object that runs in each worker, see\n"
             "asynwsgi-target(7); may be repeated"},

    {.help = "Time-outs and bodies"},
    {"timeout-head", "TIME", .kind = &cli_kind_duration, PLACE(server.timeouts.head), 0, YEAR,
     .help = "for a whole request head"},
    {"timeout-body", "TIME", .kind = &cli_kind_duration, PLACE(server.timeouts.body), 0, YEAR,
     .help = "for the next of a request body"},
    {"timeout-idle", "TIME", .kind = &cli_kind_duration, PLACE(server.timeouts.idle), 0, YEAR,
     .help = "between two requests (keep-alive)"},
    {"timeout-write", "TIME", .kind = &cli_kind_duration, PLACE(server.timeouts.write), 0, YEAR,
     .help = "without the client taking any of a response"},
    {"timeout-drain", "TIME", .kind = &cli_kind_duration, PLACE(server.timeouts.drain), 0, YEAR,
     .help = "for what a client sends after its response"},
    {"min-rate-body", "SIZE", .kind = &cli_kind_size, PLACE(server.timeouts.body_rate), 0, 1 << 30,
     .help = "of a request body a second, at least"},
    {"min-rate-write", "SIZE", .kind = &cli_kind_size, PLACE(server.timeouts.write_rate), 0,
     1 << 30, .help = "of a response a second, at least"},
    {"limit-request-body", "SIZE", .kind = &cli_kind_size, PLACE(server.limits.body), 0, INT64_MAX,
     .help = "of a request body"},
    {"body-memory", "SIZE", .kind = &cli_kind_size, PLACE(server.wsgi.body_memory), 0, 1 << 30,
     .help = "a longer request body goes to a temporary file"},
    {"input-window", "SIZE", .kind = &cli_kind_size, PLACE(server.wsgi.input_window), 65536,
     1 << 30, .help = "of a streamed body to be had at once"},
    {"memory-budget", "SIZE", .kind = &cli_kind_size, PLACE(server.memory_budget), 0, INT64_MAX,
     .help = "for what the connections of a worker hold"},

    {.help = "Request heads"},
    {"limit-request-line", "SIZE", .kind = &cli_kind_size, PLACE(server.limits.start_line), 64,
     1 << 30, .help = "of the request line"},
    {"limit-request-fields", "N", .kind = &cli_kind_number, PLACE(server.limits.fields), 1,
     HTTP_FIELDS_MAX, .help = "header fields"},
    {"limit-request-field-size", "SIZE", .kind = &cli_kind_size, PLACE(server.limits.field), 64,
     1 << 30, .help = "of one header field"},
    {"limit-request-head", "SIZE", .kind = &cli_kind_size, PLACE(server.limits.head), 64, 1 << 30,
     .help = "of the request line and all header fields"},
    {"limit-chunk-extension", "SIZE", .kind = &cli_kind_size, PLACE(server.limits.chunk_extension),
     0, 1 << 30, .help = "of chunk extensions beyond the data with them"},
    {"limit-trailers", "SIZE", .kind = &cli_kind_size, PLACE(server.limits.trailer), 0, 1 << 30,
     .help = "of the fields behind a chunked body"},
    {"underscores-in-headers", .kind = &cli_kind_switch, PLACE(server.wsgi.underscores),
     .help = "let in header fields with an underscore in their name"},

    {.help = "Logs"},
    {"access-logfile", "FILE|-", .kind = &cli_kind_text, PLACE(server.access_log),
     .help = "a line for each request; -: standard output (default: none)"},
    {"error-logfile", "FILE|-", .kind = &cli_kind_text, PLACE(server.error_log),
     .help = "everything else; -: standard error, the default"},
    {"log-level", "LEVEL", .kind = &cli_kind_level, PLACE(server.log_level),
     .help = "debug, info, warning, error or critical"},
    {"profile", "FILE", .kind = &cli_kind_text, PLACE(server.wsgi.profile),
     .help = "write what the application does, for pstats, and to\n"
             "FILE.json where the time goes"},

    {.help = "Information"},
    {"version", .kind = &cli_kind_switch, PLACE(version), .local = true,
     .help = "print the versions of asynwsgi and Python, and exit"},
    {"help", .letter = 'h', .kind = &cli_kind_switch, PLACE(help), .local = true,
     .help = "print this, and exit"},
};

const size_t cli_options_count = sizeof cli_options / sizeof *cli_options;

/* The machine for requests once more, without SIMD and by another name. */
#define HTTP_SCAN_PORTABLE
#define http_request_parser_init portable_request_parser_init
#define http_request_parse portable_request_parse
#define http_request_parse_known portable_request_parse_known

#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"
#include "http/request.c"

/* The limits that hold unless others are asked for. */
#include <asynwsgi/http.h>

const struct http_limits http_limits_default = {
    .start_line = 8190,
    .field = 8190,
    .fields = 100,
    .head = 65536,
    .chunk_extension = 1024,
    .trailer = 8192,
    .body = (uint64_t)1 << 30,
};

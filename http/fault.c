/* What each fault is called in a log, and the status that answers it. */
#include <asynwsgi/http.h>

static const struct {
    unsigned status;
    const char *text;
} faults[HTTP_FAULTS] = {
    [HTTP_COMPLETE] = {200, "complete"},
    [HTTP_INCOMPLETE] = {400, "incomplete message"},
    [HTTP_BAD_METHOD] = {400, "malformed method"},
    [HTTP_BAD_TARGET] = {400, "malformed request target"},
    [HTTP_BAD_VERSION] = {400, "malformed protocol version"},
    [HTTP_UNSUPPORTED_VERSION] = {505, "unsupported HTTP version"},
    [HTTP_BAD_LINE_END] = {400, "line that ends too early or not with CRLF"},
    [HTTP_BAD_FIELD_NAME] = {400, "malformed field name"},
    [HTTP_BAD_FIELD_VALUE] = {400, "control character in a field value"},
    [HTTP_OBSOLETE_FOLD] = {400, "folded field line"},
    [HTTP_LONG_START_LINE] = {414, "request line longer than limit-request-line allows"},
    [HTTP_LONG_FIELD] = {431, "field line longer than limit-request-field-size allows"},
    [HTTP_MANY_FIELDS] = {431, "more fields than limit-request-fields allows"},
    [HTTP_LONG_HEAD] = {431, "head larger than limit-request-head allows"},
    [HTTP_BAD_HOST] = {400, "missing, repeated or malformed Host"},
    [HTTP_BAD_CONTENT_LENGTH] = {400, "repeated or malformed Content-Length"},
    [HTTP_BAD_TRANSFER_ENCODING] = {400, "repeated or malformed Transfer-Encoding"},
    [HTTP_UNKNOWN_TRANSFER_CODING] = {501, "unknown transfer coding"},
    [HTTP_AMBIGUOUS_LENGTH] = {400, "both Content-Length and Transfer-Encoding"},
    [HTTP_UNKNOWN_EXPECTATION] = {417, "unknown expectation"},
    [HTTP_REPEATED_FIELD] = {400, "field that may stand only once is repeated"},
    [HTTP_LONG_BODY] = {413, "content larger than limit-request-body allows"},
    [HTTP_BAD_CHUNK_SIZE] = {400, "malformed chunk size"},
    [HTTP_BAD_CHUNK_EXTENSION] = {400, "malformed chunk extension"},
    [HTTP_LONG_CHUNK_EXTENSION] = {400,
                                   "chunk extensions longer than limit-chunk-extension allows"},
    [HTTP_BAD_CHUNK_END] = {400, "chunk data not followed by CRLF"},
    [HTTP_BAD_TRAILER] = {400, "malformed trailer section"},
    [HTTP_LONG_TRAILER] = {431, "trailer section larger than limit-trailers allows"},
    [HTTP_BAD_STATUS_LINE] = {502, "malformed status line"},
};

unsigned http_fault_status(enum http_fault fault)
{
    return faults[fault].status;
}

const char *http_fault_text(enum http_fault fault)
{
    return faults[fault].text;
}

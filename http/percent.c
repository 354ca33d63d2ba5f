/* Percent-encoding (RFC 3986, 2.1). */
#include <asynwsgi/http.h>

static int hex_value(unsigned char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

size_t http_percent_decode(const unsigned char *input, size_t length, unsigned char *output)
{
    size_t read = 0, written = 0;

    while (read < length) {
        int high = -1, low = -1;

        if (input[read] == '%' && length - read > 2) {
            high = hex_value(input[read + 1]);
            low = hex_value(input[read + 2]);
        }
        if (high >= 0 && low >= 0) {
            output[written++] = (unsigned char)(high << 4 | low);
            read += 3;
        } else
            output[written++] = input[read++];
    }
    return written;
}

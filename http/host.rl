/* The machine for hosts: RFC 3986, 3.2.2 and 3.2.3. */
#include "host.h"

%%{
    machine host;
    include grammar "grammar.rl";

    # RFC 9110, 7.2, and the authority of 4.2
    action port_digit {
        if (*p != '0')
            kind = HTTP_HOST_WITH_PORT;
    }
    main := uri_host (":" port $port_digit)?;
}%%

%% write data noentry noerror;

enum http_host_kind http_host_kind(const unsigned char *host, size_t length)
{
    int cs = host_start;
    const unsigned char *p = host;
    const unsigned char *pe = host + length;
    enum http_host_kind kind = HTTP_HOST_ALONE;

    %% write exec;
    return cs >= host_first_final ? kind : HTTP_HOST_INVALID;
}

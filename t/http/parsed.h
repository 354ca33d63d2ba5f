// What the parsers make of a connection's bytes, in the oracle's terms.

#ifndef HTTP_PARSED_H
#define HTTP_PARSED_H

#include "http/oracle.h"

// The bytes arrive in pieces, which end at the cuts; these ascend.
Reading parsed(const std::string &bytes, const std::vector<size_t> &cuts,
               const struct http_limits &limits);
Reading parsed_chunked(const std::string &bytes, const std::vector<size_t> &cuts,
                       const struct http_limits &limits);

// Whether the parsers read as the oracle does; otherwise what each read is in `difference`.
bool agree(const Reading &by_parsers, const Reading &by_oracle, std::string *difference);

#endif

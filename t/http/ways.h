// Each way that there is here to take the plain lines of a head, for a loop that chooses it; behind
// the loop the last is chosen, which is what the library takes by itself.

#ifndef HTTP_WAYS_H
#define HTTP_WAYS_H

#include <vector>

extern "C" {
#include <plain.h>
}

inline std::vector<enum http_plain_way> plain_ways()
{
    std::vector<enum http_plain_way> ways;
    for (auto way : {HTTP_PLAIN_MACHINE, HTTP_PLAIN_BASE, HTTP_PLAIN_AVX2})
        if (http_plain_choose(way))
            ways.push_back(way);
    return ways;
}

#endif

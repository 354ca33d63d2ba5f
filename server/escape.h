#ifndef SERVER_ESCAPE_H
#define SERVER_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Bytes from outside as part of a line that nobody can break or forge: what
 * is not plain becomes \xHH.  Control characters never are, but for the tab.
 * Within quotes only ASCII is, without the quote and the backslash.
 *
 * Takes bytes while their escapes fit into `room`; gives the number of
 * characters written, and in `taken` that of the bytes.
 */
size_t server_escape(const unsigned char *bytes, size_t length, bool quoted, char *output,
                     size_t room, size_t *taken);

#endif

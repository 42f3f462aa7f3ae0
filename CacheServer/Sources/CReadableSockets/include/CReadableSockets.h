#ifndef C_READABLE_SOCKETS_H
#define C_READABLE_SOCKETS_H

#include <stdint.h>

// epoll(7), whose header Swift's module of the C library does not contain.

/// A set of sockets: epoll_create1(2). Returns its descriptor, or -1.
int rs_make(void);

/// Adds a socket to be reported as `place` when it has bytes to read or is at its end.
void rs_insert(int set, int socket, uint64_t place);

/// Removes a socket.
void rs_remove(int set, int socket);

/// Writes the places of at most `limit` sockets to be reported, at most 64, and returns how many, without waiting.
int rs_readable(int set, uint64_t *places, int limit);

#endif

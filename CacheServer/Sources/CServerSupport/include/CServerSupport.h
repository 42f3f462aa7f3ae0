#ifndef C_SERVER_SUPPORT_H
#define C_SERVER_SUPPORT_H

#include <stdint.h>

// What Swift's module of the C library does not contain: epoll(7), and which processors a process may use.

/// A set of sockets: epoll_create1(2). Returns its descriptor, or -1.
int rs_make(void);

/// Adds a socket to be reported as `place` when it has bytes to read or is at its end.
void rs_insert(int set, int socket, uint64_t place);

/// Removes a socket.
void rs_remove(int set, int socket);

/// Writes the places of at most `limit` sockets to be reported, at most 64, and returns how many, without waiting.
int rs_readable(int set, uint64_t *places, int limit);

/// How many processors the process may use: sched_getaffinity(2). Returns 1 if the kernel does not report it.
int cs_processor_count(void);

#endif

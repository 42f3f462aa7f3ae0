#ifndef C_TRIAL_SUPPORT_H
#define C_TRIAL_SUPPORT_H

#include <stddef.h>
#include <stdint.h>

// What Swift cannot import or do safely: fork(2), variadic calls, macros, signal handlers.
// Every function gives -errno where the call fails.

/// Starts a program, found along PATH, with these descriptors as 0, 1 and 2; on core `core` alone, or
/// anywhere for -1. It ends when this process ends. Gives the process.
int ct_spawn(const char *program, char *const arguments[], int input, int output, int errors,
             int core);

/// Orphans below this process become its children, prctl(2).
int ct_become_subreaper(void);

/// SIGTERM, SIGINT and SIGHUP, and the end of `parent` where that is not 0, end this process and all
/// its descendants; `folder` is removed then, where it is not null.
int ct_end_with_parent(int parent, const char *folder);

/// Kills all children, and theirs, until none is left.
void ct_kill_children(void);

/// This thread, and what it starts from now on, on one core alone.
int ct_pin(int core);

/// How many cores this process may use.
int ct_core_count(void);

/// A socket connected to a port of 127.0.0.1, without Nagle's delay.
int ct_connect(uint16_t port);

/// A socket connected to a UNIX socket.
int ct_connect_local(const char *path);

/// A socket connected to a port of this machine by an address that is not of loopback; -EADDRNOTAVAIL
/// where the machine has none.
int ct_connect_outside(uint16_t port);

/// 1 where no process has that port of 127.0.0.1.
int ct_is_port_free(uint16_t port);

/// pidfd_open(2).
int ct_open_process(int process);

/// Removes a file, or a folder with everything in it.
int ct_remove_tree(const char *path);

/// Requests for a server: `batches` of them for each client, all of one size, and the replies to them.
struct ct_load {
  const uint8_t *requests;
  const uint8_t *replies;
  size_t request_size;
  size_t reply_size;
  int clients;
  int batches;
  int milliseconds;
  uint16_t port;
};

struct ct_load_result {
  /// How many batches were answered.
  uint64_t batches;
  uint64_t nanoseconds;
};

/// Connects the clients to a port of 127.0.0.1; each sends a batch, waits for the replies, and sends the next, until the
/// time is over. The first replies to each batch are compared: -EBADMSG if one is wrong.
int ct_run_load(const struct ct_load *load, struct ct_load_result *result);

/// Connects, sends the requests, waits for the replies and closes, again and again, one connection at a time. The replies
/// have at most 512 bytes.
int ct_connect_often(const struct ct_load *load, struct ct_load_result *result);

#endif

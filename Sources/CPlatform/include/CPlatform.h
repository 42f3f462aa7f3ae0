#ifndef C_PLATFORM_H
#define C_PLATFORM_H

#include <stddef.h>
#include <stdint.h>

#ifndef __linux__
#error "This package runs on Linux: it uses memfd_create(2), O_TMPFILE, SO_PEERCRED and clone(2)."
#endif

// System calls that Swift cannot import: those behind _GNU_SOURCE, variadic ones, and the macros of
// cmsg(3). Every function returns -errno where the call fails.

// Files

/// memfd_create(2): close-on-exec, sealable, and executable where the kernel allows that, since one with
/// F_SEAL_EXEC comes back read-only from a kernel update. Pages of 2^huge_page_shift bytes, or of the
/// usual size for 0.
int kho_memfd_create(const char *name, unsigned huge_page_shift);

/// F_SEAL_SHRINK added, fcntl(2).
int kho_seal_shrink(int descriptor);

/// The seals, F_GET_SEALS.
int kho_seals(int descriptor);

/// A file without a name in `folder`, open(2) with O_TMPFILE: read-write, close-on-exec, of mode `mode`
/// less the umask.
int kho_open_unnamed(const char *folder, unsigned mode);

/// fallocate(2): mode 0, or a hole that leaves the size.
int kho_fallocate(int descriptor, int punches_hole, int64_t offset, int64_t byte_count);

/// How many pages of a part of the file are in the page cache: cachestat(2), since Linux 6.5.
int64_t kho_cached_page_count(int descriptor, uint64_t offset, uint64_t byte_count);

/// fstatfs(2): the type of the file system, linux/magic.h, and the size of its blocks.
int kho_file_system(int descriptor, uint64_t *type, uint64_t *block_byte_count);

/// The size up to which this process may make files, getrlimit(2).
uint64_t kho_file_size_limit(void);

/// flock(2): exclusive, without waiting.
int kho_lock_exclusively(int descriptor);

/// flock(2): shared, once no process holds the exclusive lock.
int kho_await_lock(int descriptor);

/// flock(2): no lock.
int kho_unlock(int descriptor);

// Descriptors

/// F_DUPFD_CLOEXEC.
int kho_duplicate(int descriptor);

/// F_GETFD.
int kho_descriptor_flags(int descriptor);

/// FD_CLOEXEC set or cleared, F_SETFD.
int kho_set_close_on_exec(int descriptor, int is_closed);

/// The access mode, O_RDONLY, O_WRONLY or O_RDWR; F_GETFL.
int kho_access_mode(int descriptor);

/// FD_CLOEXEC set for all descriptors but 0, 1, 2 and those in `kept`, which ascend: by close_range(2)
/// where the caller allows it and the system has it, otherwise for each that is open.
int kho_keep_on_exec(const int *kept, size_t count, int has_close_range);

// Sockets

/// sendmsg(2) of `bytes` and descriptors, without SIGPIPE. With an address, a `struct sockaddr_un`,
/// the socket need not be connected.
int64_t kho_send(int socket, const void *address, unsigned address_byte_count, const void *bytes,
                 size_t byte_count, const int *descriptors, size_t descriptor_count);

/// What kho_receive found.
struct kho_received {
  size_t descriptor_count;
  int is_truncated;
};

/// recvmsg(2) of one message and at most `capacity` descriptors, close-on-exec.
int64_t kho_receive(int socket, void *bytes, size_t byte_count, int *descriptors, size_t capacity,
                    struct kho_received *received);

/// The user and process at the other end when it connected, SO_PEERCRED.
int kho_peer(int socket, uint32_t *user_id, int32_t *process_id);

/// socket(2) of AF_UNIX, close-on-exec: SOCK_DGRAM or SOCK_SEQPACKET.
int kho_socket(int is_datagram);

/// socketpair(2) of AF_UNIX and SOCK_SEQPACKET, close-on-exec.
int kho_socket_pair(int pair[2]);

/// 0 for a socket of AF_UNIX and SOCK_SEQPACKET, else -errno.
int kho_check_packet_socket(int socket);

/// SO_RCVTIMEO and SO_SNDTIMEO.
int kho_set_timeout(int socket, int64_t seconds, int64_t microseconds);

/// A `struct sockaddr_un` of `path`, or of an abstract name, unix(7); gives its length in bytes, or 0
/// where the name does not fit.
unsigned kho_unix_address(void *address, size_t capacity, const char *name, size_t name_byte_count,
                          int is_abstract);

/// bind(2) and connect(2) of what kho_unix_address made.
int kho_bind(int socket, const void *address, unsigned address_byte_count);
int kho_connect(int socket, const void *address, unsigned address_byte_count);

/// listen(2), with room for a few that wait.
int kho_listen(int socket);

/// accept4(2), close-on-exec.
int kho_accept(int socket);

// Processes

/// The variables of this process, environ(7).
char **kho_environment(void);

/// Standard output written out, unless another thread is writing to it, and execve(2) with no signal
/// blocked; the thread's mask is restored where it fails. A program that leaves much memory behind does
/// not wait until it is unmapped: another process does that, which is not this one's child, where one
/// can be started.
int kho_exec(const char *path, char *const *arguments, char *const *environment,
             int leaves_memory_behind);

/// Starts the process that keeps the memory of this one until it has ended, and then takes it apart;
/// gives its number, also where it runs already. -ENOTSUP where there can be none.
int kho_start_keeper(void);

/// That process; 0 where none runs.
int kho_keeper(void);

/// Ends it, and waits until it has left the memory.
void kho_stop_keeper(void);

/// A child that executes the program with no signal blocked, and with no descriptors but 0, 1, 2 and
/// those in `kept`, which ascend; returns its process identifier. `has_close_range` as in
/// kho_keep_on_exec.
int kho_spawn(const char *path, char *const *arguments, char *const *environment,
              const int *kept, size_t kept_count, int has_close_range);

// Live update

/// ioctl(2) on /dev/liveupdate or a session of it.
int kho_live_update(int descriptor, unsigned request, void *argument);

/// Whether the kernel will seal the file against writing when it restores it after a live update: a
/// memfd with F_SEAL_EXEC.
int kho_comes_back_read_only(int descriptor);

/// Whether the file is sealed against writing.
int kho_is_write_sealed(int descriptor);

/// kexec_file_load(2); `byte_count` counts the 0 at the end of the command line. An initramfs of -1 is
/// none.
int64_t kho_load_kernel(int kernel, int initramfs, const char *command_line, size_t byte_count);

/// reboot(2).
int kho_restart(unsigned command);

// Signals

/// What a program of one thread says, and which file it removes, where SIGINT, SIGTERM or SIGHUP ends it;
/// an empty path for no file.
void kho_note_interruption(const char *text, const char *temporary_path);

/// Has that done from here on; a signal that is ignored stays so.
void kho_catch_interruptions(void);

/// What the program says where a mapped file is cut short while it is read (SIGBUS), and the status that
/// it ends with then.
void kho_explain_bus_errors(const char *text, int status);

/// Lets a write beyond RLIMIT_FSIZE fail with EFBIG instead of ending the process, SIGXFSZ.
void kho_ignore_size_limit_signal(void);

#endif

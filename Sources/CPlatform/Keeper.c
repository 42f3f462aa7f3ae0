#include "Internal.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// The kernel takes apart the mappings of a process, tens of milliseconds for a gigabyte, before it
// closes the descriptors of one that ends, and before it starts the new program of one that calls
// execve(2). So another process shares the memory, and takes it apart by ending. It is a grandchild,
// so that this process does not have to wait for it.

static struct {
  pthread_mutex_t mutex;
  // The process that started it: a forked child has a copy of all this, and no keeper.
  _Atomic pid_t owner;
  // The kernel makes it 0 when the keeper has left the memory.
  _Atomic pid_t process;
  // The keeper ends when no process has the first of them any more. A socket and not a pipe: it can
  // be shut down while other processes have copies.
  int ends[2];
  int ready[2];
  int error;
  // Whether it ends because this process does not want it any more.
  atomic_bool is_stopped;
  char *stack;
} keeper = {.mutex = PTHREAD_MUTEX_INITIALIZER};

enum { STACK_BYTE_COUNT = 1 << 17 };

#ifndef IS_WATCHED_FOR_RACES

// How long a program may take to start on a busy machine.
static const struct timespec start_time = {.tv_nsec = 100000000};

// Both functions run on stacks of their own, in memory that this process still uses, and with the
// thread-local variables of the thread that started them. They call nothing but the system; while a
// call might fail, and set errno, that thread waits.

__attribute__((noreturn)) NO_SANITIZE static void fail(void) {
  keeper.error = errno;
  _exit(1);
}

// The descriptors from `first` on and below `bound`.
NO_SANITIZE static void close_between(unsigned first, unsigned bound) {
  if (first < bound && syscall(SYS_close_range, first, bound - 1, 0) < 0) fail();
}

NO_SANITIZE static int keep_memory(void *unused) {
  (void)unused;
  unsigned end = (unsigned)keeper.ends[1];
  char byte;
  syscall(SYS_prctl, PR_SET_NAME, "kho-keeper", 0, 0, 0);
  // Every signal is blocked; those that cannot be are often sent to a group.
  syscall(SYS_setpgid, 0, 0);
  // Niceness alone, which is for a kernel that refuses the policy, would let the keeper finish its time
  // slice, milliseconds, while a thread of the next program waits for the processor.
  struct sched_param none = {0};
  syscall(SYS_setpriority, PRIO_PROCESS, 0, 19);
  syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &none);
  // The descriptors are copies. Of them only one is needed; the others would keep locks and sockets.
  // The last one to go is that by which the starter sees that all are gone.
  unsigned ready = (unsigned)keeper.ready[1];
  unsigned low = end < ready ? end : ready;
  unsigned high = end < ready ? ready : end;
  close_between(0, low);
  close_between(low + 1, high);
  close_between(high + 1, ~0U);
  close_between(ready, ready + 1);
  // Not read(2), which looks at variables of a thread that may be gone.
  syscall(SYS_read, end, &byte, 1);
  // The next program starts first. The kernel does not count a processor as idle that takes memory apart,
  // and would place the threads of that program beside each other on the other processors.
  if (!atomic_load(&keeper.is_stopped)) syscall(SYS_nanosleep, &start_time, NULL);
  _exit(0);
}

NO_SANITIZE static int start_keeper(void *unused) {
  char *top = keeper.stack + STACK_BYTE_COUNT / 2;
  int flags = CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  if (clone(keep_memory, top, flags, unused, &keeper.process, NULL, &keeper.process) < 0) fail();
  _exit(0);
}

static void close_pair(int pair[2]) {
  close(pair[0]);
  close(pair[1]);
}

// With both pairs open; they are closed or in use afterwards.
static void start(void) {
  keeper.error = EAGAIN;
  // No signal is sent at its end, so that a thread that waits for any child does not see it.
  pid_t starter =
      clone(start_keeper, keeper.stack + STACK_BYTE_COUNT, CLONE_VM | CLONE_VFORK, NULL);
  if (starter < 0) keeper.error = errno;
  while (starter > 0 && waitpid(starter, NULL, __WALL) < 0 && errno == EINTR) continue;
  // The keeper has closed its copy, or is gone.
  close(keeper.ready[1]);
  char byte;
  while (read(keeper.ready[0], &byte, 1) < 0 && errno == EINTR) continue;
  close(keeper.ready[0]);
  close(keeper.ends[1]);
  if (atomic_load(&keeper.process) == 0) close(keeper.ends[0]);
}

static int start_with_stack(void) {
  if (keeper.stack == NULL) {
    void *stack = mmap(NULL, STACK_BYTE_COUNT, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return -errno;
    keeper.stack = stack;
  }
  // Of a keeper that was ended from outside.
  if (atomic_load(&keeper.owner) == getpid()) close(keeper.ends[0]);
  atomic_store(&keeper.owner, 0);
  atomic_store(&keeper.process, 0);
  atomic_store(&keeper.is_stopped, false);
  if (pipe2(keeper.ready, O_CLOEXEC) < 0) return -errno;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, keeper.ends) < 0) {
    int error = errno;
    close_pair(keeper.ready);
    return -error;
  }
  start();
  if (atomic_load(&keeper.process) == 0) return -keeper.error;
  atomic_store(&keeper.owner, getpid());
  return keeper.process;
}

// A fork while another thread has the mutex would leave it locked in the child for ever.
static void lock(void) { pthread_mutex_lock(&keeper.mutex); }
static void unlock(void) { pthread_mutex_unlock(&keeper.mutex); }
static void watch_forks(void) { pthread_atfork(lock, unlock, unlock); }

int kho_start_keeper(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, watch_forks);
  sigset_t all, before;
  sigfillset(&all);
  // The keeper blocks what this thread does.
  int error = pthread_sigmask(SIG_SETMASK, &all, &before);
  if (error != 0) return -error;
  pthread_mutex_lock(&keeper.mutex);
  int process = kho_keeper();
  if (process == 0) process = start_with_stack();
  pthread_mutex_unlock(&keeper.mutex);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return process;
}

#else

int kho_start_keeper(void) { return -ENOTSUP; }

#endif

int kho_keeper(void) {
  // The order is that of start_with_stack.
  return atomic_load(&keeper.owner) == getpid() ? atomic_load(&keeper.process) : 0;
}

void kho_stop_keeper(void) {
  pthread_mutex_lock(&keeper.mutex);
  pid_t process = kho_keeper();
  if (process != 0) {
    atomic_store(&keeper.is_stopped, true);
    shutdown(keeper.ends[0], SHUT_RDWR);
    close(keeper.ends[0]);
    while (atomic_load(&keeper.process) == process) {
      syscall(SYS_futex, &keeper.process, FUTEX_WAIT, process, NULL, NULL, 0);
    }
    atomic_store(&keeper.owner, 0);
    // A process that inherits orphans, the first of a container, has it for a child.
    while (waitpid(process, NULL, __WALL) < 0 && errno == EINTR) continue;
  }
  pthread_mutex_unlock(&keeper.mutex);
}

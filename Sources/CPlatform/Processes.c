#include "Internal.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

char **kho_environment(void) { return environ; }

// Not fflush(NULL): that locks every stream, and a thread that waits for input holds the lock of
// standard input. A thread that holds the lock of standard output is writing itself.
static void flush_output(void) {
  if (ftrylockfile(stdout) != 0) return;
  fflush_unlocked(stdout);
  funlockfile(stdout);
}

int kho_exec(const char *path, char *const *arguments, char *const *environment,
             int leaves_memory_behind) {
  sigset_t all, none, before;
  sigemptyset(&none);
  sigfillset(&all);
  flush_output();
  int error = pthread_sigmask(SIG_SETMASK, &all, &before);
  if (error != 0) return -error;
  // A keeper that runs already stays when the program cannot be executed.
  int is_kept_for_this = leaves_memory_behind && kho_keeper() == 0 && kho_start_keeper() > 0;
  // Threads of Dispatch block most signals, and execve(2) would keep that mask.
  pthread_sigmask(SIG_SETMASK, &none, NULL);
  execve(path, arguments, environment);
  error = errno;
  if (is_kept_for_this) kho_stop_keeper();
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return -error;
}

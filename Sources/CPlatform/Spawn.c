#include "Internal.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

// Not posix_spawn(3): it can close descriptors from one on, and not those between two that stay.
//
// The child has descriptors of its own, shares the memory of its parent, and runs on a stack of its
// own while the thread that started it waits, as with vfork(2).

struct request {
  const char *path;
  char *const *arguments;
  char *const *environment;
  const int *kept;
  size_t kept_count;
  int has_close_range;
  int error;
};

enum { STACK_BYTE_COUNT = 1 << 16 };

// No handler of the parent's may run in the child.
static NO_SANITIZE void reset_handlers(void) {
  struct sigaction action;
  for (int signal = 1; signal < NSIG; signal++) {
    if (sigaction(signal, NULL, &action) < 0) continue;
    if (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN) continue;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    sigaction(signal, &action, NULL);
  }
}

static NO_SANITIZE int become_program(struct request *request) {
  sigset_t none;
  reset_handlers();
  int status = kho_keep_on_exec(request->kept, request->kept_count, request->has_close_range);
  if (status < 0) return -status;
  for (size_t index = 0; index < request->kept_count; index++) {
    if (fcntl(request->kept[index], F_SETFD, 0) < 0) return errno;
  }
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execve(request->path, request->arguments, request->environment);
  return errno;
}

#ifdef IS_WATCHED_FOR_RACES

// The sanitizer's own clone(2) ends a process that has threads of its own; fork(2) it knows.
static int start(struct request *request) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
  pid_t child = fork();
  if (child < 0) {
    int error = errno;
    close(ends[0]);
    close(ends[1]);
    return -error;
  }
  if (child == 0) {
    int error = become_program(request);
    ssize_t count = write(ends[1], &error, sizeof error);
    _exit(count < 0 ? 126 : 127);
  }
  close(ends[1]);
  int error = 0;
  while (read(ends[0], &error, sizeof error) < 0 && errno == EINTR) continue;
  close(ends[0]);
  request->error = error;
  return child;
}

#else

static NO_SANITIZE int run(void *argument) {
  struct request *request = argument;
  request->error = become_program(request);
  _exit(127);
}

static int start(struct request *request) {
  char *stack = mmap(NULL, STACK_BYTE_COUNT, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return -errno;
  pid_t child =
      clone(run, stack + STACK_BYTE_COUNT, CLONE_VM | CLONE_VFORK | SIGCHLD, request);
  int error = errno;
  munmap(stack, STACK_BYTE_COUNT);
  return child < 0 ? -error : child;
}

#endif

int kho_spawn(const char *path, char *const *arguments, char *const *environment,
              const int *kept, size_t kept_count, int has_close_range) {
  struct request request = {
      .path = path,
      .arguments = arguments,
      .environment = environment,
      .kept = kept,
      .kept_count = kept_count,
      .has_close_range = has_close_range,
  };
  sigset_t all, before;
  sigfillset(&all);
  int error = pthread_sigmask(SIG_SETMASK, &all, &before);
  if (error != 0) return -error;
  int child = start(&request);
  if (child > 0 && request.error != 0) {
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
    child = -request.error;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return child;
}

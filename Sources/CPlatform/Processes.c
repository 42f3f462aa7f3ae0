#include "Internal.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <unistd.h>

char **kho_environment(void) { return environ; }

int kho_exec(const char *path, char *const *arguments, char *const *environment,
             int leaves_memory_behind) {
  sigset_t all, none, before;
  sigemptyset(&none);
  sigfillset(&all);
  fflush(NULL);
  int error = pthread_sigmask(SIG_SETMASK, &all, &before);
  if (error != 0) return -error;
  // Where one runs already, it does.
  int is_kept_for_this = leaves_memory_behind && kho_keeper() == 0 && kho_start_keeper() > 0;
  // Threads of Dispatch block most signals, and execve(2) would hand that on.
  pthread_sigmask(SIG_SETMASK, &none, NULL);
  execve(path, arguments, environment);
  error = errno;
  if (is_kept_for_this) kho_stop_keeper();
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return -error;
}

static int spawn(posix_spawnattr_t *attributes, posix_spawn_file_actions_t *actions,
                 const char *path, char *const *arguments, char *const *environment,
                 const int *descriptors, size_t descriptor_count) {
  sigset_t none;
  sigemptyset(&none);
  int error = posix_spawnattr_setsigmask(attributes, &none);
  if (error == 0) error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK);
  for (size_t index = 0; error == 0 && index < descriptor_count; index++) {
    // A descriptor copied to itself loses FD_CLOEXEC in the child, and only there.
    error = posix_spawn_file_actions_adddup2(actions, descriptors[index], descriptors[index]);
  }
  pid_t process = -1;
  if (error == 0) error = posix_spawn(&process, path, actions, attributes, arguments, environment);
  return error == 0 ? process : -error;
}

int kho_spawn(const char *path, char *const *arguments, char *const *environment,
              const int *descriptors, size_t descriptor_count) {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  int error = posix_spawnattr_init(&attributes);
  if (error != 0) return -error;
  error = posix_spawn_file_actions_init(&actions);
  if (error == 0) {
    int process = spawn(&attributes, &actions, path, arguments, environment, descriptors,
                        descriptor_count);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return process;
  }
  posix_spawnattr_destroy(&attributes);
  return -error;
}

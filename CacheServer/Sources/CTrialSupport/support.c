#define _GNU_SOURCE
#include "CTrialSupport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <ftw.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int checked(int result) { return result < 0 ? -errno : result; }

// Processes

static void become(const char *program, char *const arguments[], const int descriptors[3], int core,
                   pid_t parent) {
  // Numbers above 2 first: one of the three may be wanted as another of the three.
  int moved[3];
  for (int index = 0; index < 3; index++)
    if ((moved[index] = fcntl(descriptors[index], F_DUPFD_CLOEXEC, 3)) < 0) return;
  for (int index = 0; index < 3; index++)
    if (dup2(moved[index], index) < 0) return;
  if (core >= 0 && ct_pin(core) < 0) return;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return;
  // The parent may have ended before that was said.
  if (getppid() != parent) _exit(127);
  execvp(program, arguments);
}

int ct_spawn(const char *program, char *const arguments[], int input, int output, int errors,
             int core) {
  const int descriptors[3] = {input, output, errors};
  pid_t parent = getpid();
  volatile int error = 0;
  // Not fork(2), which copies the page tables of this process: that time would be part of what is measured.
  // The child uses this function's variables until it executes the program or ends, and this thread waits for that.
  pid_t process = vfork();
  if (process == 0) {
    become(program, arguments, descriptors, core, parent);
    error = errno;
    _exit(127);
  }
  if (process < 0) return -errno;
  if (error == 0) return process;
  waitpid(process, NULL, 0);
  return -error;
}

int ct_become_subreaper(void) { return checked(prctl(PR_SET_CHILD_SUBREAPER, 1)); }

// Signal handlers may not use opendir(3), and not every kernel lists the children of a process.
struct entry {
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char kind;
  char name[];
};

/// The parent of a process, from /proc; 0 where it is gone.
static long parent_of(const char *process) {
  char text[512];
  snprintf(text, sizeof text, "/proc/%.20s/stat", process);
  int file = open(text, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t count = read(file, text, sizeof text - 1);
  close(file);
  if (count <= 0) return 0;
  text[count] = 0;
  // The name in brackets can hold brackets itself. Behind it: the state, and the parent.
  char *end = strrchr(text, ')');
  return end == NULL || end + 4 > text + count ? 0 : strtol(end + 4, NULL, 10);
}

/// Kills the children that there are now; gives how many that were.
static int kill_some(int folder) {
  int killed = 0;
  lseek(folder, 0, SEEK_SET);
  while (1) {
    _Alignas(8) char entries[8192];
    long count = syscall(SYS_getdents64, folder, entries, sizeof entries);
    if (count <= 0) return killed;
    for (long place = 0; place < count;) {
      const struct entry *entry = (const struct entry *)(entries + place);
      place += entry->length;
      long process = strtol(entry->name, NULL, 10);
      if (process <= 1 || parent_of(entry->name) != (long)getpid()) continue;
      kill((pid_t)process, SIGKILL);
      waitpid((pid_t)process, NULL, 0);
      killed++;
    }
  }
}

void ct_kill_children(void) {
  int folder = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  // Children of one that is killed become children of this process, as it is a subreaper.
  for (int round = 0; round < 1000 && kill_some(folder) > 0; round++) {
  }
  close(folder);
}

/// What goes at the end; empty for nothing.
static char end_folder[4096];

static void end_all(int number) {
  ct_kill_children();
  // A signal handler may not call nftw(3), so another process makes it; fork(2)
  // is one, and the thread that was interrupted does not go on here either.
  if (end_folder[0] != 0) {
    pid_t process = fork();
    if (process == 0) {
      char *arguments[] = {"rm", "-rf", "--", end_folder, NULL};
      execv("/bin/rm", arguments);
      _exit(127);
    }
    if (process > 0) waitpid(process, NULL, 0);
  }
  _exit(128 + number);
}

int ct_end_with_parent(int parent, const char *folder) {
  if (folder != NULL) {
    if (strlen(folder) >= sizeof end_folder) return -ENAMETOOLONG;
    strcpy(end_folder, folder);
  }
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = end_all;
  sigfillset(&action.sa_mask);
  for (int index = 0; index < 3; index++) {
    const int numbers[3] = {SIGTERM, SIGINT, SIGHUP};
    if (sigaction(numbers[index], &action, NULL) < 0) return -errno;
  }
  if (parent <= 0) return 0;
  if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0) return -errno;
  return getppid() == parent ? 0 : -ESRCH;
}

int ct_pin(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  return checked(sched_setaffinity(0, sizeof cores, &cores));
}

int ct_core_count(void) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return sched_getaffinity(0, sizeof cores, &cores) < 0 ? 1 : CPU_COUNT(&cores);
}

int ct_open_process(int process) { return checked((int)syscall(SYS_pidfd_open, process, 0)); }

// Sockets

static struct sockaddr_in loopback(uint16_t port) {
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static int stream_socket(void) { return checked(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

int ct_connect(uint16_t port) {
  int descriptor = stream_socket();
  if (descriptor < 0) return descriptor;
  struct sockaddr_in address = loopback(port);
  int yes = 1;
  if (setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == 0 &&
      connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0)
    return descriptor;
  int error = errno;
  close(descriptor);
  return -error;
}

static int connected(int descriptor, const struct sockaddr *address, socklen_t length) {
  if (descriptor < 0) return descriptor;
  if (connect(descriptor, address, length) == 0) return descriptor;
  int error = errno;
  close(descriptor);
  return -error;
}

int ct_connect_local(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
  strcpy(address.sun_path, path);
  return connected(checked(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
                   (struct sockaddr *)&address, sizeof address);
}

int ct_connect_outside(uint16_t port) {
  struct ifaddrs *all;
  if (getifaddrs(&all) != 0) return -errno;
  int result = -EADDRNOTAVAIL;
  for (struct ifaddrs *each = all; each; each = each->ifa_next) {
    if (!each->ifa_addr || each->ifa_addr->sa_family != AF_INET) continue;
    struct sockaddr_in address = *(struct sockaddr_in *)each->ifa_addr;
    if (ntohl(address.sin_addr.s_addr) >> 24 == 127) continue;
    address.sin_port = htons(port);
    result = connected(stream_socket(), (struct sockaddr *)&address, sizeof address);
    break;
  }
  freeifaddrs(all);
  return result;
}

int ct_is_port_free(uint16_t port) {
  int descriptor = stream_socket();
  if (descriptor < 0) return descriptor;
  struct sockaddr_in address = loopback(port);
  int yes = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  int result = bind(descriptor, (struct sockaddr *)&address, sizeof address);
  if (result == 0) result = listen(descriptor, 1);
  close(descriptor);
  return result == 0;
}

// Files

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place) {
  (void)status;
  (void)kind;
  (void)place;
  return remove(path) < 0 && errno != ENOENT ? errno : 0;
}

int ct_remove_tree(const char *path) {
  int result = nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  if (result < 0) return errno == ENOENT ? 0 : -errno;
  return -result;
}

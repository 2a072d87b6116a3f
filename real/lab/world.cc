#include "real/lab/world.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace distlab::lab {
namespace {

constexpr uint64_t private_namespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET;

// What init needs of the caller, gathered before they part.
struct Caller {
  Fd self;          // pidfd: readable once the caller is dead
  Fd report_read;   // nothing and the end: the body runs; else the error
  Fd report_write;  // close-on-exec
  uid_t uid = geteuid();
  gid_t gid = getegid();
  std::vector<std::string> keep;  // directories that must stay visible
};

struct Work {
  const std::function<Result<void>(const World&)>& prepare;
  const std::function<int()>& body;
};

Result<void> write_file(const std::string& path, const std::string& text) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return failure(fmt::format("writing \"{}\" to {}", text, path), errno);
  }
  return {};
}

Result<void> mount_or_say(const char* source, const std::string& target, const char* type, unsigned long flags,
                          const char* options) {
  if (::mount(source, target.c_str(), type, flags, options) == 0) return {};
  return failure(fmt::format("mounting {} at {}", type ? type : source, target), errno);
}

std::optional<std::string> sysctl(const char* name) {
  std::ifstream file(fmt::format("/proc/sys/{}", name));
  std::string value;
  if (!std::getline(file, value)) return std::nullopt;
  return value;
}

// Why the kernel refused user namespaces, as far as its settings tell (user_namespaces(7); the second
// is Debian's and Ubuntu's own, the third Ubuntu's since 23.10).
std::string why_no_user_namespace(int error) {
  if (sysctl("user/max_user_namespaces") == "0") {
    return "user.max_user_namespaces is 0; set it (sysctl user.max_user_namespaces=10000) or run as root";
  }
  if (sysctl("kernel/unprivileged_userns_clone") == "0") {
    return "kernel.unprivileged_userns_clone is 0; set it (sysctl kernel.unprivileged_userns_clone=1) or run as root";
  }
  if (sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1") {
    return "AppArmor restricts them; set kernel.apparmor_restrict_unprivileged_userns to 0 or run as root";
  }
  switch (error) {
    case EINVAL:
      return "the kernel was built without user namespaces (CONFIG_USER_NS); run as root";
    case ENOSPC:
    case EUSERS:
      return "user.max_user_namespaces or another limit below user. in sysctl is reached; raise it or run as root";
    case ENOSYS:
      return "clone3 is not there (Linux before 5.3, or a container's seccomp filter); run outside the container";
    default:
      return "a container's seccomp filter, a security module or a chroot forbids them; run as root outside of it";
  }
}

bool has_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) return false;
  constexpr uint32_t needed = 1U << CAP_SYS_ADMIN | 1U << CAP_NET_ADMIN;
  return (data[0].effective & needed) == needed;
}

// The caller becomes uid 0 of the new user namespace; nobody else exists in there.
Result<void> map_user(const Caller& caller) {
  return write_file("/proc/self/setgroups", "deny")
      .and_then([&] { return write_file("/proc/self/uid_map", fmt::format("0 {} 1", caller.uid)); })
      .and_then([&] { return write_file("/proc/self/gid_map", fmt::format("0 {} 1", caller.gid)); });
}

bool below(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory + "/");
}

// A directory every Debian has, to be covered by the tmpfs: but not one that holds what is needed.
Result<std::string> directory_to_cover(const Caller& caller) {
  for (const char* candidate : {"/dev/shm", "/mnt", "/media", "/srv"}) {
    struct stat status {};
    if (::stat(candidate, &status) != 0 || !S_ISDIR(status.st_mode)) continue;
    const auto holds = [&](const std::string& path) { return below(path, candidate); };
    if (std::none_of(caller.keep.begin(), caller.keep.end(), holds)) return candidate;
  }
  return tl::make_unexpected("no directory to mount temporary files at (/dev/shm, /mnt, /media, /srv)");
}

// Nothing mounted in here is to show outside. In a chroot "/" may lie in the middle of a mount, which
// cannot be named; from the namespace's own root, where joining it again leads, all can.
Result<void> stop_propagation() {
  constexpr unsigned long all_private = MS_REC | MS_PRIVATE;
  if (::mount("none", "/", nullptr, all_private, nullptr) == 0) return {};
  const std::string attempt = "making mounts private";
  if (errno != EINVAL) return failure(attempt, errno);
  const Fd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const Fd directory(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const Fd mounts(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!root || !directory || !mounts || ::setns(mounts.get(), CLONE_NEWNS) != 0 ||
      ::mount("none", "/", nullptr, all_private, nullptr) != 0 || ::fchdir(root.get()) != 0 || ::chroot(".") != 0 ||
      ::fchdir(directory.get()) != 0) {
    return failure(attempt + " from inside a chroot", errno);
  }
  return {};
}

Result<void> mount_privately(const Caller& caller, World& world) {
  const Result<std::string> directory = directory_to_cover(caller);
  if (!directory) return tl::make_unexpected(directory.error());
  world.temporary_directory = *directory;
  Result<void> mounted = stop_propagation().and_then(
      [&] { return mount_or_say("tmpfs", *directory, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700"); });
  // A container that masks parts of /proc forbids a fresh one; the old one serves all but `ps`.
  world.own_proc = mounted && ::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0;
  return mounted;
}

// The soft limit is a default for programs that use select(); this one holds descriptors per host.
void raise_open_files(World& world) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  world.open_files = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

[[noreturn]] void report_and_exit(const Caller& caller, const std::string& error) {
  // Nobody is there to read it if this fails.
  [[maybe_unused]] const ssize_t written = ::write(caller.report_write.get(), error.data(), error.size());
  ::_exit(1);
}

// The parent may have died before the request to die with it was made.
void die_with(int parent_pidfd) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  pollfd parent{parent_pidfd, POLLIN, 0};
  if (::poll(&parent, 1, 0) != 0) ::_exit(1);
}

[[noreturn]] void be_the_body(Caller& caller, World& world, const Work& work) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != 1) ::_exit(1);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  raise_open_files(world);
  caller.self.reset();
  if (Result<void> prepared = work.prepare(world); !prepared) report_and_exit(caller, prepared.error());
  caller.report_write.reset();
  const int status = work.body();
  std::fflush(nullptr);
  ::_exit(status & 0xff);  // not exit(): what the caller registered is not for its copy to do
}

[[noreturn]] void be_init(pid_t body) {
  // Holding no descriptor, or the caller would wait for the end of a pipe that init keeps open.
  ::close_range(0, ~0U, 0);
  for (;;) {
    int status = 0;
    const pid_t ended = ::wait(&status);
    if (ended == body) ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    if (ended < 0 && errno != EINTR) ::_exit(1);
  }
}

[[noreturn]] void start_world(Caller& caller, bool user_namespace, const Work& work) {
  die_with(caller.self.get());
  caller.report_read.reset();
  ::setsid();
  World world;
  world.user_namespace = user_namespace;
  Result<void> done = user_namespace ? map_user(caller) : Result<void>();
  done = done.and_then([&] { return mount_privately(caller, world); });
  if (!done && user_namespace) {
    report_and_exit(
        caller, fmt::format("the user namespace is of no use: {} ({})", done.error(), why_no_user_namespace(EPERM)));
  }
  if (!done) report_and_exit(caller, done.error());
  const pid_t pid = ::fork();
  if (pid < 0) report_and_exit(caller, fmt::format("fork: {}", std::strerror(errno)));
  if (pid == 0) be_the_body(caller, world, work);
  be_init(pid);
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 512> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<size_t>(got));
  }
}

std::string link_target(const char* path) {
  std::array<char, 4096> buffer{};
  const ssize_t length = ::readlink(path, buffer.data(), buffer.size());
  return length > 0 ? std::string(buffer.data(), static_cast<size_t>(length)) : std::string();
}

Result<Caller> gather() {
  Caller caller;
  caller.self = Fd(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (!caller.self) return failure("pidfd_open (Linux 5.3 or later)", errno);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failure("pipe2", errno);
  caller.report_read = Fd(ends[0]);
  caller.report_write = Fd(ends[1]);
  caller.keep = {link_target("/proc/self/cwd"), link_target("/proc/self/exe")};
  return caller;
}

struct Cloned {
  pid_t pid = -1;  // 0 in the new process
  int pidfd = -1;
};

// As fork, in new namespaces. The new process keeps none of the caller's signal handlers.
Cloned clone_into(uint64_t namespaces) {
  Cloned cloned;
  clone_args arguments{};
  arguments.flags = namespaces | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
  arguments.pidfd = reinterpret_cast<uintptr_t>(&cloned.pidfd);
  arguments.exit_signal = SIGCHLD;
  cloned.pid = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
  return cloned;
}

}  // namespace

Result<Running> enter_world(const std::function<Result<void>(const World&)>& prepare, const std::function<int()>& body,
                            const std::vector<std::string>& keep) {
  Result<Caller> caller = gather();
  if (!caller) return tl::make_unexpected(caller.error());
  caller->keep.insert(caller->keep.end(), keep.begin(), keep.end());
  std::fflush(nullptr);  // or the copy would say it again

  const bool privileged = has_capabilities();
  Cloned cloned;
  if (privileged) cloned = clone_into(private_namespaces);
  const bool user_namespace = !privileged || (cloned.pid < 0 && errno == EPERM);
  if (user_namespace) cloned = clone_into(private_namespaces | CLONE_NEWUSER);
  if (cloned.pid == 0) start_world(*caller, user_namespace, {prepare, body});
  if (cloned.pid < 0) {
    const int error = errno;
    if (!user_namespace) return failure("making new namespaces", error);
    return tl::make_unexpected(
        fmt::format("making a user namespace: {} ({})", std::strerror(error), why_no_user_namespace(error)));
  }

  Running running(cloned.pid, Fd(cloned.pidfd));
  caller->report_write.reset();
  const std::string error = read_all(caller->report_read.get());
  if (!error.empty()) return tl::make_unexpected(error);
  return running;
}

Running::~Running() {
  if (!pidfd_) return;  // moved from
  kill();
  wait();
}

void Running::kill() {
  if (status_ < 0) ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
}

int Running::wait() {
  while (status_ < 0) {
    siginfo_t info{};
    if (::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED) == 0) {
      status_ = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    } else if (errno != EINTR) {
      status_ = 255;  // somebody else has waited for it
    }
  }
  return status_;
}

}  // namespace distlab::lab

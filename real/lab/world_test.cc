#include "real/lab/world.h"

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <linux/capability.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "real/lab/testing/net.h"
#include "real/lab/testing/run.h"

namespace distlab::lab {
namespace {

using ::testing::HasSubstr;

struct Pipe {
  Fd read_end, write_end;
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    read_end = Fd(ends[0]);
    write_end = Fd(ends[1]);
  }
  void say(const std::string& text) const {
    EXPECT_EQ(::write(write_end.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string line() const {  // blocks until there is one
    std::string text;
    for (char byte = 0; ::read(read_end.get(), &byte, 1) == 1 && byte != '\n';) text += byte;
    return text;
  }
};

const std::array<const char*, 6> namespace_kinds{"net", "mnt", "pid", "ipc", "uts", "user"};

std::string link_of(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::read_symlink(path, error).string();
}

// "net:[4026532000]" and so on, of this process.
std::set<std::string> own_namespaces() {
  std::set<std::string> result;
  for (const char* kind : namespace_kinds) result.insert(link_of(fmt::format("/proc/self/ns/{}", kind)));
  return result;
}

// Who, among all processes we may look into, is in one of these namespaces or has it open.
std::vector<std::string> users_of(const std::set<std::string>& namespaces) {
  std::vector<std::string> result;
  std::error_code error;
  for (const auto& process : std::filesystem::directory_iterator("/proc")) {
    if (!std::isdigit(process.path().filename().string()[0])) continue;
    for (const char* folder : {"ns", "fd"}) {
      for (const auto& entry : std::filesystem::directory_iterator(process.path() / folder, error)) {
        if (namespaces.contains(link_of(entry.path()))) result.push_back(entry.path().string());
      }
    }
  }
  return result;
}

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// What could be left behind with a name.
struct Outside {
  std::string mounts = contents("/proc/self/mountinfo");
  std::string interfaces;
  size_t descriptors = 0;
  std::set<std::string> temporary;

  Outside() {
    struct if_nameindex* const list = ::if_nameindex();
    for (const struct if_nameindex* one = list; one->if_index != 0; ++one)
      interfaces += std::string(one->if_name) + " ";
    ::if_freenameindex(list);
    for ([[maybe_unused]] const auto& fd : std::filesystem::directory_iterator("/proc/self/fd")) ++descriptors;
    for (const char* folder : {"/dev/shm", "/run/netns"}) {
      std::error_code error;
      for (const auto& file : std::filesystem::directory_iterator(folder, error)) temporary.insert(file.path());
    }
  }
  bool operator==(const Outside&) const = default;
};
void PrintTo(const Outside& outside, std::ostream* out) {
  *out << outside.interfaces << "\n" << outside.descriptors << " descriptors\n" << outside.mounts;
}

// Fills a lab with all it can have and says its namespaces through the pipe, in one line.
std::vector<Child> fill(Lab& lab, const Pipe& pipe, std::vector<Port>& ports) {
  const HostId alice = *lab.add_host("alice");
  const HostId bob = *lab.add_host("bob", Role::router);
  const LinkId link = lab.link({.host = alice, .address = "10.0.1.1"}, {.host = bob, .address = "10.0.1.254"});
  lab.route(link, Side::a, "default");
  lab.shape(link, Direction::a_to_b, {.rate_bps = 1'000'000});
  lab.drop(link, Direction::b_to_a, true);
  Result<std::vector<Port>> attached = lab.attach({{.host = bob, .address = "10.0.9.1"}});
  EXPECT_TRUE(attached) << attached.error();
  ports = std::move(*attached);
  std::ofstream(lab.world().temporary_directory + "/file") << "text";
  std::vector<Child> children;
  // One that ignores what can be ignored and leaves a grandchild behind in a session of its own.
  const std::string script = "trap '' HUP INT TERM; setsid sleep 1000 & exec sleep 1000";
  Result<Child> child =
      lab.spawn(alice, {.arguments = {"/bin/sh", "-c", script}, .environment = {"PATH=/usr/bin:/bin"}});
  EXPECT_TRUE(child) << child.error();
  children.push_back(std::move(*child));
  std::set<std::string> namespaces = own_namespaces();
  for (const HostId host : {alice, bob}) {
    EXPECT_TRUE(lab.within(host, [&] { namespaces.insert(link_of("/proc/thread-self/ns/net")); }));
  }
  std::string line;
  if (::testing::Test::HasFailure()) namespaces.clear();  // for the reader to fail, too
  for (const std::string& one : namespaces) line += one + " ";
  pipe.say(line + "\n");
  return children;
}

std::set<std::string> words(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

bool ends(int pidfd) {
  pollfd waiting{pidfd, POLLIN, 0};
  return ::poll(&waiting, 1, 10'000) == 1;
}

// Starts a process that stands for distlab, with a filled lab in it; when that runs, `end` is called
// with the process's id. Afterwards the world must have ended and nothing of it be left.
void ends_with_its_parent(User user, const std::function<void(pid_t)>& end) {
  run_where_labs_are(user, [&] {
    const Outside before;
    const std::set<std::string> ours = own_namespaces();
    {
      const Pipe namespaces, init;
      const pid_t parent = ::fork();
      if (parent == 0) {
        ::setpgid(0, 0);
        ::signal(SIGINT, SIG_DFL);
        Result<Running> running = enter([&](Lab& lab) {
          std::vector<Port> ports;
          const std::vector<Child> children = fill(lab, namespaces, ports);
          ::pause();
          return 0;
        });
        init.say(running ? fmt::format("{}\n", running->pid()) : "\n");
        if (running) running->wait();
        ::_exit(1);
      }
      const std::string pid = init.line();
      ASSERT_FALSE(pid.empty()) << "no lab";
      const Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, std::stoi(pid), 0)));
      ASSERT_TRUE(pidfd);
      std::set<std::string> theirs = words(namespaces.line());
      for (const std::string& one : ours) theirs.erase(one);  // root's labs keep the user namespace
      ASSERT_GE(theirs.size(), 7U);
      ASSERT_FALSE(users_of(theirs).empty());
      end(parent);
      EXPECT_EQ(::waitpid(parent, nullptr, 0), parent);
      // An init ends only after everything in its PID namespace has.
      EXPECT_TRUE(ends(pidfd.get()));
      EXPECT_TRUE(becomes_true([&] { return users_of(theirs).empty(); }));
    }
    EXPECT_EQ(Outside(), before);
  });
}

// "/" lies in the middle of a mount, or the machine's own is not where its init has it.
bool in_a_chroot() {
  struct stat ours {};
  struct stat machines {};
  return ::stat("/", &ours) == 0 && ::stat("/proc/1/root/", &machines) == 0 &&
         (ours.st_dev != machines.st_dev || ours.st_ino != machines.st_ino);
}

void share_mounts_of_our_own() {
  ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_SHARED, nullptr), 0);
}

void go_into_a_chroot() {
  ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  ASSERT_EQ(::mount("tmpfs", "/mnt", "tmpfs", 0, nullptr), 0);
  ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_SHARED, nullptr), 0);
  for (const std::string folder : {"usr", "bin", "sbin", "lib", "lib64", "etc", "proc", "dev"}) {
    const std::string from = "/" + folder;
    const std::string to = "/mnt/root" + from;
    if (!std::filesystem::exists(from)) continue;
    std::filesystem::create_directories(to);
    ASSERT_EQ(::mount(from.c_str(), to.c_str(), nullptr, MS_BIND | MS_REC, nullptr), 0);
  }
  ASSERT_EQ(::chmod("/mnt/root", 0755), 0);
  ASSERT_EQ(::chroot("/mnt/root"), 0);
  ASSERT_EQ(::chdir("/usr"), 0);
}

void mounts_stay_inside() {
  const std::string before = contents("/proc/self/mountinfo");
  const std::string hosts = contents("/etc/hosts");
  const Pipe pipe;
  Result<Running> running = enter([&](Lab& lab) {
    std::vector<Port> ports;
    EXPECT_EQ(std::filesystem::is_empty(lab.world().temporary_directory), true);
    EXPECT_TRUE(lab.replace_file("/etc/hosts", "10.0.1.1 alice\n"));
    const std::vector<Child> children = fill(lab, pipe, ports);
    ::pause();
    return 0;
  });
  ASSERT_TRUE(running) << running.error();
  ASSERT_FALSE(pipe.line().empty());
  EXPECT_EQ(contents("/proc/self/mountinfo"), before);
  EXPECT_EQ(contents("/etc/hosts"), hosts);
}

class WorldTest : public LabTest {};

// kill -9 of the process that made a lab ends everything in it and leaves nothing.
TEST_P(WorldTest, NothingOutlivesKill9) {
  ends_with_its_parent(GetParam(), [](pid_t parent) { ::kill(parent, SIGKILL); });
}

// Ctrl-C at the terminal does too.
TEST_P(WorldTest, NothingOutlivesCtrlC) {
  ends_with_its_parent(GetParam(), [](pid_t parent) { ::kill(-parent, SIGINT); });
}

// A world that is no longer wanted ends with its handle, whatever runs in it.
TEST_P(WorldTest, EndsWithItsHandle) {
  run_where_labs_are(GetParam(), [] {
    const Outside before;
    {
      const Pipe pipe;
      std::optional<Result<Running>> running = enter([&](Lab& lab) {
        std::vector<Port> ports;
        const std::vector<Child> children = fill(lab, pipe, ports);
        ::pause();
        return 0;
      });
      ASSERT_TRUE(*running) << running->error();
      std::set<std::string> theirs = words(pipe.line());
      for (const std::string& one : own_namespaces()) theirs.erase(one);
      ASSERT_GE(theirs.size(), 7U);
      running.reset();
      EXPECT_TRUE(becomes_true([&] { return users_of(theirs).empty(); }));
    }
    EXPECT_EQ(Outside(), before);
  });
}

// What the body returns is the status outside; an end by a signal is 128 and the signal.
TEST_P(WorldTest, StatusComesOut) {
  run_where_labs_are(GetParam(), [] {
    Result<Running> seven = enter([](Lab&) { return 7; });
    ASSERT_TRUE(seven) << seven.error();
    EXPECT_TRUE(ends(seven->pidfd()));
    EXPECT_EQ(seven->wait(), 7);
    Result<Running> killed = enter([](Lab&) { return ::raise(SIGKILL); });
    ASSERT_TRUE(killed) << killed.error();
    EXPECT_EQ(killed->wait(), 128 + SIGKILL);
  });
}

// An error of what prepares the world is the caller's error, and the body does not run.
TEST_P(WorldTest, ErrorOfPreparingComesOut) {
  run_where_labs_are(GetParam(), [] {
    const Pipe pipe;
    Result<Running> running = enter_world([](const World&) -> Result<void> { return tl::make_unexpected("no luck"); },
                                          [&] {
                                            pipe.say("it ran\n");
                                            return 0;
                                          });
    ASSERT_FALSE(running);
    EXPECT_EQ(running.error(), "no luck");
    ASSERT_EQ(::fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK), 0);
    EXPECT_EQ(pipe.line(), "");
  });
}

// The temporary files are a file system of their own, and the processes see none but their own.
TEST_P(WorldTest, IsPrivate) {
  run_in_lab(GetParam(), [](Lab& lab) {
    EXPECT_TRUE(std::filesystem::is_empty(lab.world().temporary_directory));
    EXPECT_THAT(contents("/proc/self/mountinfo"), HasSubstr(lab.world().temporary_directory + " rw,nosuid,nodev"));
    EXPECT_EQ(::getpid(), 2);
    EXPECT_EQ(::getuid(), 0U);
    EXPECT_EQ(link_of("/proc/self") == "2", lab.world().own_proc);
    ASSERT_TRUE(lab.replace_file("/etc/hosts", "10.0.1.1 alice\n"));
    EXPECT_EQ(contents("/etc/hosts"), "10.0.1.1 alice\n");
    const Result<void> nowhere = lab.replace_file("/etc/no-such-file", "");
    ASSERT_FALSE(nowhere);
    EXPECT_EQ(nowhere.error(), "replacing /etc/no-such-file: No such file or directory");
  });
}

// What is mounted inside does not show outside, even where mounts are shared, as systemd makes them.
TEST_P(WorldTest, MountsStayInside) {
  run_as(users().front(), [] {
    if (::geteuid() == 0 && !in_a_chroot()) share_mounts_of_our_own();
    run_where_labs_are(GetParam(), mounts_stay_inside);
  });
}

// A chroot into a plain directory is no hindrance for root; the kernel gives others no lab in there,
// and the error says so.
TEST_P(WorldTest, WorksInAChroot) {
  if (::geteuid() != 0) return;  // only root can set it up
  run_as(User::root, [] {
    if (!in_a_chroot()) go_into_a_chroot();
    if (GetParam() == User::root) {
      run_as(User::root, mounts_stay_inside);
    } else {
      run_as(User::ordinary, [] {
        const Result<Running> running = enter([](Lab&) { return 0; });
        ASSERT_FALSE(running);
        EXPECT_THAT(running.error(), HasSubstr("chroot forbids them; run as root"));
      });
    }
  });
}

// Two labs with the same addresses do not notice each other, nor the other's end.
TEST_P(WorldTest, TwoAtOnce) {
  run_where_labs_are(GetParam(), [] {
    const Pipe go, said;
    const auto body = [&](Lab& lab) {
      const HostId a = *lab.add_host("a");
      const HostId b = *lab.add_host("b");
      const LinkId link = lab.link({.host = a, .address = "10.0.1.1"}, {.host = b, .address = "10.0.2.1"});
      lab.route(link, Side::a, "default");
      lab.route(link, Side::b, "default");
      EXPECT_TRUE(lab.apply());
      for (;;) {
        said.say(ping(lab, a, "10.0.2.1") ? "answered\n" : "silence\n");
        if (go.line() != "again") return 0;
      }
    };
    Result<Running> first = enter(body);
    ASSERT_TRUE(first) << first.error();
    Result<Running> second = enter(body);
    ASSERT_TRUE(second) << second.error();
    EXPECT_EQ(said.line(), "answered");
    EXPECT_EQ(said.line(), "answered");
    first->kill();
    first->wait();
    go.say("again\n");
    EXPECT_EQ(said.line(), "answered");
    go.say("end\n");
    EXPECT_EQ(second->wait(), 0);
  });
}

// Fifty labs one after the other leave no descriptor, mount or interface.
TEST_P(WorldTest, FiftyInARow) {
  run_where_labs_are(GetParam(), [] {
    const Outside before;
    std::chrono::duration<double, std::milli> longest{};
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 50; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      const Pipe pipe;
      Result<Running> running = enter([&](Lab& lab) {
        std::vector<Port> ports;
        const std::vector<Child> children = fill(lab, pipe, ports);
        return ::testing::Test::HasFailure() ? 1 : 0;
      });
      ASSERT_TRUE(running) << running.error();
      ASSERT_EQ(running->wait(), 0) << "lab " << i;
      longest = std::max<std::chrono::duration<double, std::milli>>(longest, std::chrono::steady_clock::now() - begin);
    }
    const std::chrono::duration<double, std::milli> all = std::chrono::steady_clock::now() - start;
    std::printf("a lab takes %.1f ms, at most %.1f ms\n", all.count() / 50, longest.count());
    EXPECT_EQ(Outside(), before);
  });
}

// Where the kernel allows no more user namespaces, the error says which setting forbids it. (The
// setting is of a user namespace, so the test forbids it in one of its own.)
TEST_P(WorldTest, SaysWhyThereIsNoLab) {
  run_as(User::ordinary, [] {
    const std::string map = fmt::format("0 {} 1", ::geteuid());
    const bool forbidden_before = ::unshare(CLONE_NEWUSER) != 0;
    if (!forbidden_before) {
      std::ofstream("/proc/self/uid_map") << map;
      std::ofstream("/proc/sys/user/max_user_namespaces") << "0";
      ASSERT_EQ(contents("/proc/sys/user/max_user_namespaces"), "0\n");
      __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
      const std::array<__user_cap_data_struct, 2> none{};
      ASSERT_EQ(::syscall(SYS_capset, &header, none.data()), 0);
    }
    const Result<Running> running = enter([](Lab&) { return 0; });
    ASSERT_FALSE(running);
    EXPECT_THAT(running.error(), HasSubstr("making a user namespace: "));
    EXPECT_THAT(running.error(),
                HasSubstr(forbidden_before ? "run as root" : "sysctl user.max_user_namespaces=10000) or run as root"));
  });
}

INSTANTIATE_TEST_SUITE_P(Users, WorldTest, ::testing::ValuesIn(users()), ::testing::PrintToStringParamName());

}  // namespace
}  // namespace distlab::lab

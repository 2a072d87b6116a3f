#include "real/lab/spawn.h"

#include <array>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "real/lab/testing/net.h"
#include "real/lab/testing/run.h"

namespace distlab::lab {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> shell_environment{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "COLOUR=blue"};

Command shell(const std::string& script) {
  return {.arguments = {"sh", "-c", script}, .environment = shell_environment};
}

// A shell script's output and exit code, in the place.
struct Said {
  std::string text;
  Exit exit;
};
Said say(const Place& place, Command command) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  command.fds[1] = write_end.get();
  Result<Child> child = spawn(place, command);
  EXPECT_TRUE(child) << child.error();
  write_end.reset();
  Said said;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = ::read(read_end.get(), buffer.data(), buffer.size())) > 0;) {
    said.text.append(buffer.data(), static_cast<size_t>(got));
  }
  if (child) said.exit = child->wait();
  return said;
}

bool readable(int fd, int limit_ms) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, limit_ms) == 1;
}

// A process gets the environment, directory, limits and descriptors it is given, and nothing else.
TEST(SpawnTest, GetsWhatItIsGivenOnly) {
  const Fd stray(::open("/dev/null", O_RDONLY));  // not close-on-exec
  const Fd passed(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  Command command = shell("echo $COLOUR $HOME; pwd; ulimit -c; ulimit -Sn; cd /proc/self/fd; echo *; readlink 0 2 7 9");
  command.directory = "/etc";
  command.limits = {{RLIMIT_CORE, {0, 0}}, {RLIMIT_NOFILE, {64, 128}}};
  command.fds = {{7, passed.get()}, {9, passed.get()}};
  const Said said = say({}, command);
  EXPECT_EQ(said.exit, Exit{});
  // 3 (10 in some shells) is the shell's own, open while it looks.
  EXPECT_THAT(said.text, HasSubstr("blue\n/etc\n0\n64\n0 1 "));
  EXPECT_THAT(said.text, HasSubstr(" 7 9\n/dev/null\n/dev/null\n/dev/zero\n/dev/zero\n"));
}

// Descriptors may trade their numbers.
TEST(SpawnTest, DescriptorsTradePlaces) {
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Fd zero(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  Command command =
      shell("readlink /proc/self/fd/" + std::to_string(null.get()) + " /proc/self/fd/" + std::to_string(zero.get()));
  command.fds = {{null.get(), zero.get()}, {zero.get(), null.get()}};
  EXPECT_EQ(say({}, command).text, "/dev/zero\n/dev/null\n");
}

// Signals and masks that we set for ourselves are not the process's.
TEST(SpawnTest, SignalsAreDefault) {
  struct sigaction before {};
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGTERM, &ignore, &before);
  sigset_t all;
  sigset_t mask;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &mask);
  Result<Child> child = spawn({}, {.arguments = {"sleep", "1000"}, .environment = shell_environment});
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  ::sigaction(SIGTERM, &before, nullptr);
  ASSERT_TRUE(child) << child.error();
  EXPECT_TRUE(child->signal(SIGTERM));
  EXPECT_EQ(child->wait(), (Exit{.code = 0, .signal = SIGTERM}));
}

// What cannot be started is an error that names the program and the step, and leaves no process.
TEST(SpawnTest, ErrorNamesTheStep) {
  const Result<Child> none = spawn({}, {.arguments = {"/no/such/program"}});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error(), "starting /no/such/program: exec: No such file or directory");
  const Result<Child> nowhere = spawn({}, {.arguments = {"true"}, .directory = "/no/such/directory"});
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error(), "starting true: chdir: No such file or directory");
  const Result<Child> closed = spawn({}, {.arguments = {"true"}, .fds = {{5, 1000000}}});
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error(), "starting true: passing descriptors: Bad file descriptor");
  const Result<Child> nothing = spawn({}, {});
  ASSERT_FALSE(nothing);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

class ChildTest : public LabTest {};

// SIGSTOP freezes a process and its helpers, SIGCONT thaws them, SIGKILL ends them; the exit is seen
// on the pidfd, and afterwards there is nobody to signal.
TEST_P(ChildTest, IsFrozenThawedAndKilled) {
  run_in_lab(GetParam(), [](Lab& lab) {
    const HostId host = *lab.add_host("alice");
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const Fd read_end(ends[0]);
    const Fd write_end(ends[1]);
    // The helper writes; its leader only waits.
    Command command = shell("(while echo tick; do :; done) & wait");
    command.fds[1] = write_end.get();
    Result<Child> child = lab.spawn(host, command);
    ASSERT_TRUE(child) << child.error();
    EXPECT_FALSE(child->poll());
    EXPECT_FALSE(child->stopped());
    const auto drain = [&] {
      std::array<char, 65536> buffer{};
      while (readable(read_end.get(), 0)) (void)!::read(read_end.get(), buffer.data(), buffer.size());
    };
    ASSERT_TRUE(readable(read_end.get(), 10'000));
    EXPECT_TRUE(child->signal(SIGSTOP));
    EXPECT_TRUE(becomes_true([&] { return child->stopped(); }));
    EXPECT_TRUE(becomes_true([&] {
      drain();
      return !readable(read_end.get(), 20);  // the helper is frozen, too
    }));
    EXPECT_FALSE(child->poll());
    EXPECT_TRUE(child->signal(SIGCONT));
    EXPECT_TRUE(readable(read_end.get(), 10'000));
    EXPECT_FALSE(child->stopped());
    EXPECT_FALSE(readable(child->pidfd(), 0));
    EXPECT_TRUE(child->signal(SIGKILL));
    EXPECT_TRUE(readable(child->pidfd(), 10'000));
    EXPECT_EQ(child->poll(), (Exit{.code = 0, .signal = SIGKILL}));
    const Result<void> late = child->signal(SIGCONT);
    ASSERT_FALSE(late);
    EXPECT_THAT(late.error(), HasSubstr("No such process"));
  });
}

// A process is in its host: name, interfaces, addresses; its code comes back.
TEST_P(ChildTest, IsInItsHost) {
  run_in_lab(GetParam(), [](Lab& lab) {
    const HostId alice = *lab.add_host("alice");
    const LinkId link = lab.link({.host = alice, .address = "10.0.1.1"}, {.host = *lab.add_host("bob")});
    (void)link;
    ASSERT_TRUE(lab.apply());
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const Fd read_end(ends[0]);
    Fd write_end(ends[1]);
    Command command = shell("hostname; ip -brief address show dev eth0; ip route get 10.9.9.9; exit 3");
    command.fds = {{1, write_end.get()}, {2, write_end.get()}};
    Result<Child> child = lab.spawn(alice, command);
    ASSERT_TRUE(child) << child.error();
    write_end.reset();
    EXPECT_EQ(child->wait(), (Exit{.code = 3, .signal = 0}));
    std::string text(4096, '\0');
    text.resize(static_cast<size_t>(::read(read_end.get(), text.data(), text.size())));
    EXPECT_THAT(text, ::testing::StartsWith("alice\neth0"));
    EXPECT_THAT(text, HasSubstr("10.0.1.1/32"));
    EXPECT_THAT(text, HasSubstr("Network is unreachable"));
  });
}

// Destroying the handle ends the process and its helpers.
TEST_P(ChildTest, EndsWithItsHandle) {
  run_in_lab(GetParam(), [](Lab& lab) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const Fd read_end(ends[0]);
    Fd write_end(ends[1]);
    Command command = shell("sleep 1000 & wait");
    command.fds[1] = write_end.get();
    {
      Result<Child> child = lab.spawn(*lab.add_host("alice"), command);
      ASSERT_TRUE(child) << child.error();
      write_end.reset();
    }
    EXPECT_TRUE(readable(read_end.get(), 10'000));  // closed: nobody has the other end
  });
}

INSTANTIATE_TEST_SUITE_P(Users, ChildTest, ::testing::ValuesIn(users()), ::testing::PrintToStringParamName());

}  // namespace
}  // namespace distlab::lab

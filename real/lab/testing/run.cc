#include "real/lab/testing/run.h"

#include <chrono>

#include <gmock/gmock.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace distlab::lab {
namespace {

constexpr uid_t nobody = 65534;

bool become(User user) {
  if (user == User::root || ::geteuid() != 0) return true;
  // A program such a user starts is dumpable, and so owns its files in /proc.
  return ::setgroups(0, nullptr) == 0 && ::setresgid(nobody, nobody, nobody) == 0 &&
         ::setresuid(nobody, nobody, nobody) == 0 && ::prctl(PR_SET_DUMPABLE, 1) == 0;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, User user) {
  return out << (user == User::root ? "root" : "ordinary");
}

std::vector<User> users() {
  if (::geteuid() == 0) return {User::root, User::ordinary};
  return {User::ordinary};
}

bool run_as(User user, const std::function<void()>& action) {
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    EXPECT_TRUE(become(user)) << "cannot become an ordinary user";
    if (!::testing::Test::HasFailure()) action();
    std::fflush(nullptr);
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0) << "failures are above";
  return status == 0;
}

bool run_where_labs_are(User user, const std::function<void()>& action) {
  return run_as(user, [&] {
    const Result<Running> trial = enter([](Lab&) { return 0; });
    if (trial) {
      action();
    } else if (user == User::root) {
      ADD_FAILURE() << trial.error();
    } else {
      EXPECT_THAT(trial.error(), ::testing::HasSubstr("run as root"));
      std::printf("no lab for ordinary users here: %s\n", trial.error().c_str());
    }
  });
}

bool run_in_lab(User user, const std::function<void(Lab&)>& body) {
  return run_where_labs_are(user, [&] {
    Result<Running> running = enter([&](Lab& lab) {
      body(lab);
      return ::testing::Test::HasFailure() ? 1 : 0;
    });
    ASSERT_TRUE(running) << running.error();
    EXPECT_EQ(running->wait(), 0) << "failures are above";
  });
}

bool becomes_true(const std::function<bool()>& condition) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{10};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

}  // namespace distlab::lab

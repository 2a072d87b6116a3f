#include "real/secret_pool.h"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace distlab::real {
namespace {

using Nonce = std::array<uint8_t, 12>;

// Proves that no portion comes twice, over many refillings, and that every byte of a portion is filled.
TEST(SecretPool, GivesEveryByteOnce) {
  SecretPool pool;
  std::set<Nonce> seen;
  std::array<std::set<uint8_t>, 12> values;
  for (int i = 0; i < 20'000; ++i) {
    Nonce nonce{};
    pool.fill(nonce);
    EXPECT_TRUE(seen.insert(nonce).second);
    for (size_t at = 0; at < nonce.size(); ++at) values[at].insert(nonce[at]);
  }
  for (const auto& of_place : values) EXPECT_EQ(of_place.size(), 256u);
}

// Proves that a forked process does not give what its parent gives.
TEST(SecretPool, AForkedProcessHasNoneOfOurs) {
  SecretPool pool;
  Nonce first{};
  pool.fill(first);
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  std::array<Nonce, 100> ours{}, theirs{};
  for (Nonce& nonce : ours) pool.fill(nonce);
  if (child == 0) ::_exit(::write(pipe[1], ours.data(), sizeof ours) == sizeof ours ? 0 : 1);
  ASSERT_EQ(::read(pipe[0], theirs.data(), sizeof theirs), static_cast<ssize_t>(sizeof theirs));
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  std::set<Nonce> all(ours.begin(), ours.end());
  all.insert(theirs.begin(), theirs.end());
  EXPECT_EQ(all.size(), ours.size() + theirs.size());
  for (const int fd : pipe) ::close(fd);
}

// Proves that portions of any size are filled, small ones from the pool and large ones not.
TEST(SecretPool, FillsAnySize) {
  SecretPool pool;
  for (const size_t size :
       {size_t{0}, size_t{1}, SecretPool::largest_portion, SecretPool::largest_portion + 1, size_t{100'000}}) {
    std::vector<uint8_t> one(size), other(size);
    pool.fill(one);
    pool.fill(other);
    if (size <= 8) continue;
    EXPECT_NE(one, other);
    EXPECT_LT(static_cast<size_t>(std::count(one.begin(), one.end(), 0)), size / 2);
  }
}

}  // namespace
}  // namespace distlab::real

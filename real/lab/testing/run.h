// Runs the body of a test in a lab, as root or as an ordinary user.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "real/lab/lab.h"

namespace distlab::lab {

enum class User { root, ordinary };
std::ostream& operator<<(std::ostream& out, User user);

// Whom this process can be: root can be both, an ordinary user only that.
std::vector<User> users();

// In a process of its own, as that user. False, and a failure of the test, if a test assertion failed
// in there.
bool run_as(User user, const std::function<void()>& action);

// The same where that user can have a lab. Where the kernel gives ordinary users none, the error must
// say so instead.
bool run_where_labs_are(User user, const std::function<void()>& action);

// A lab of that user with the body in it; the same of assertions.
bool run_in_lab(User user, const std::function<void(Lab&)>& body);

// Looks again and again, up to 10 s: for what the kernel does in its own time.
bool becomes_true(const std::function<bool()>& condition);

class LabTest : public ::testing::TestWithParam<User> {};

}  // namespace distlab::lab

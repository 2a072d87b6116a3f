#include "results/owner.h"

#include <array>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <unistd.h>

namespace distlab::results {

namespace {

struct Place {
  std::string machine, boot, pid_namespace;
};

Place this_place() {
  Place place;
  std::array<char, 256> text{};
  ::gethostname(text.data(), text.size() - 1);
  place.machine = text.data();
  std::ifstream("/proc/sys/kernel/random/boot_id") >> place.boot;
  const ssize_t size = ::readlink("/proc/self/ns/pid", text.data(), text.size());
  if (size > 0) place.pid_namespace.assign(text.data(), static_cast<size_t>(size));
  return place;
}

// State and start time (clock ticks since boot) of a process: fields 3 and 22 of proc(5)'s stat.
// The name in field 2 may hold spaces and parentheses.
std::pair<char, std::string> stat_of(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string line;
  if (!std::getline(file, line)) return {'X', ""};
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  char state = 'X';
  std::string word;
  fields >> state;
  for (int field = 4; field <= 22; ++field) fields >> word;
  return {state, word};
}

}  // namespace

std::string this_owner() {
  const Place place = this_place();
  const std::string pid = std::to_string(::getpid());
  return fmt::format("{}\t{}\t{}\t{}\t{}", place.machine, place.boot, place.pid_namespace, pid, stat_of(pid).second);
}

bool owner_is_gone(const std::string& owner) {
  std::istringstream fields(owner);
  std::string machine, boot, pid_namespace, pid, started;
  for (std::string* field : {&machine, &boot, &pid_namespace, &pid, &started}) std::getline(fields, *field, '\t');
  const Place here = this_place();
  if (machine != here.machine) return false;
  if (boot != here.boot) return true;
  if (pid_namespace != here.pid_namespace || pid.empty()) return false;
  const auto [state, now_started] = stat_of(pid);
  return state == 'X' || state == 'Z' || now_started != started;
}

}  // namespace distlab::results

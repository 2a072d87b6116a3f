#include "real/daemon/testing/process.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace distlab::daemon::testing {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

template <typename Condition>
bool eventually(const Condition& condition, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

}  // namespace

DaemonProcess::DaemonProcess(const std::string& program, std::vector<std::string> arguments) {
  std::string pattern = (fs::temp_directory_path() / "distlab-daemon-XXXXXX").string();
  folder_ = ::mkdtemp(pattern.data());
  arguments.insert(arguments.begin(), program);
  arguments.insert(arguments.end(), {"--control", control()});
  std::vector<char*> words;
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  const std::string log_path = folder_ + "/log";
  pid_ = ::fork();
  if (pid_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int log_file = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(log_file, STDERR_FILENO);
  ::execv(program.c_str(), words.data());
  ::_exit(127);
}

DaemonProcess::~DaemonProcess() {
  if (alive()) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status_, 0);
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string DaemonProcess::log() const {
  std::ostringstream text;
  text << std::ifstream(folder_ + "/log").rdbuf();
  return text.str();
}

bool DaemonProcess::wait_for(const std::string& text, int seconds) const {
  return eventually([&] { return log().find(text) != std::string::npos; }, std::chrono::seconds{seconds});
}

size_t DaemonProcess::lines(const std::string& with) const {
  std::istringstream text(log());
  size_t count = 0;
  for (std::string line; std::getline(text, line);) count += line.find(with) != std::string::npos ? 1 : 0;
  return count;
}

Endpoint DaemonProcess::udp() const {
  const std::string text = log(), key = " udp=";
  const size_t at = text.find(key);
  if (at == std::string::npos) return {};
  const size_t begin = at + key.size(), colon = text.find(':', begin);
  const auto address = Ipv4::parse(text.substr(begin, colon - begin));
  return {address.value_or(any_address), static_cast<uint16_t>(std::strtoul(text.c_str() + colon + 1, nullptr, 10))};
}

bool DaemonProcess::alive() const {
  if (pid_ > 0 && ::waitpid(pid_, &status_, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

int DaemonProcess::stop() {
  if (alive()) ::kill(pid_, SIGTERM);
  if (!eventually([this] { return !alive(); }, 10s)) return -1;
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
}

size_t DaemonProcess::resident_kib() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::strtoul(line.c_str() + 6, nullptr, 10);
  }
  return 0;
}

size_t DaemonProcess::open_files() const {
  size_t count = 0;
  for ([[maybe_unused]] const auto& file : fs::directory_iterator("/proc/" + std::to_string(pid_) + "/fd")) ++count;
  return count;
}

}  // namespace distlab::daemon::testing

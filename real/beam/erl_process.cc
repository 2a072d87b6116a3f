#include "real/beam/erl_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "real/asio_impl.h"

namespace distlab::beam {
namespace {

using boost::asio::posix::stream_descriptor;
using boost::system::error_code;

constexpr size_t kept_output = 2000;  // the last bytes it printed
constexpr int inetrc_fd = 3;

// Few threads: many BEAMs share a machine, and none is to spin for work.
constexpr std::array small_flags{"+S", "1:1", "+SDcpu", "1:1", "+SDio", "1", "+A", "1", "+sbwt", "none"};

void add(std::vector<std::string>& to, std::initializer_list<std::string> more) {
  to.insert(to.end(), more);
}

void add_kernel(std::vector<std::string>& to, const std::string& key, const std::string& value) {
  add(to, {"-kernel", key, value});
}

std::string boolean(bool value) {
  return value ? "true" : "false";
}

void add_distribution(std::vector<std::string>& out, const scenario::Node& node) {
  const auto seconds = [](Duration value) { return std::chrono::ceil<std::chrono::seconds>(value).count(); };
  add(out, {"-name", node.name, "-setcookie", node.cookie, "-start_epmd", "false"});
  add_kernel(out, "net_ticktime", fmt::format("{}", seconds(node.net_ticktime)));
  add_kernel(out, "net_tickintensity", fmt::format("{}", node.net_tickintensity));
  add_kernel(out, "net_setuptime", fmt::format("{:f}", to_seconds(node.net_setuptime)));
  add_kernel(out, "prevent_overlapping_partitions", boolean(node.prevent_overlapping_partitions));
  if (!node.connect_all) add(out, {"-connect_all", "false"});
  if (node.hidden) add(out, {"-hidden"});
  if (node.listen_port != 0) {
    add_kernel(out, "inet_dist_listen_min", fmt::format("{}", node.listen_port));
    add_kernel(out, "inet_dist_listen_max", fmt::format("{}", node.listen_port));
  }
}

}  // namespace

ErlCommand erl_command(const scenario::Node& node, const ErlSurroundings& s) {
  ErlCommand out;
  out.inetrc = s.inetrc;
  add(out.arguments, {"erl"});
  out.arguments.insert(out.arguments.end(), small_flags.begin(), small_flags.end());
  add(out.arguments, {"+zdbbl", fmt::format("{}", std::max<uint64_t>(1, node.dist_buf_busy_limit / 1024))});
  add(out.arguments, {"-noshell", "-noinput", "-pa", s.applications + "/distlab_probe/ebin"});
  add_distribution(out.arguments, node);
  if (s.loopback_only) add_kernel(out.arguments, "inet_dist_use_interface", "{127,0,0,1}");
  if (node.implementation == scenario::Implementation::macula)
    add(out.arguments, {"-pa", s.applications + "/macula/ebin", "-proto_dist", "macula", "-no_epmd"});
  add(out.arguments, {"-s", "distlab_probe"});

  const char* const path = std::getenv("PATH");
  out.environment = {fmt::format("PATH={}", path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin"), "HOME=/",
                     "LC_ALL=C.UTF-8", "ERL_CRASH_DUMP=/dev/null",
                     fmt::format("DISTLAB_PROBE={}", s.probe.to_string())};
  if (s.agent.port != 0) out.environment.push_back(fmt::format("DISTLAB_AGENT={}", s.agent.to_string()));
  if (s.epmd_port != 0) out.environment.push_back(fmt::format("ERL_EPMD_PORT={}", s.epmd_port));
  // From memory: no file that could be left behind.
  if (!s.inetrc.empty()) out.environment.push_back(fmt::format("ERL_INETRC=/proc/self/fd/{}", inetrc_fd));
  return out;
}

struct ErlProcess::Impl {
  Impl(real::AsioLoop& on, std::function<void(const std::string&)> told)
      : loop(on), output(on.impl().io), end(on.impl().io), ended(std::move(told)) {}

  lab::Result<void> start(const ErlCommand& command);
  void read();
  void take_output();
  void watch();
  void say(const std::string& how);
  std::string printed() const;

  real::AsioLoop& loop;
  std::optional<lab::Child> child;
  stream_descriptor output, end;
  std::array<char, 4096> buffer{};
  std::string tail;
  std::function<void(const std::string&)> ended;
};

lab::Result<void> ErlProcess::Impl::start(const ErlCommand& command) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) return lab::failure("pipe2", errno);
  output.assign(pipe[0]);
  const lab::Fd theirs(pipe[1]);
  ::fcntl(theirs.get(), F_SETFL, 0);
  std::map<int, int> fds{{1, theirs.get()}, {2, theirs.get()}};
  lab::Fd inetrc;
  if (!command.inetrc.empty()) {
    inetrc = lab::Fd(::memfd_create("inetrc", MFD_CLOEXEC));
    const auto size = static_cast<ssize_t>(command.inetrc.size());
    if (!inetrc || ::write(inetrc.get(), command.inetrc.data(), command.inetrc.size()) != size)
      return lab::failure("memfd_create", errno);
    fds[inetrc_fd] = inetrc.get();
  }
  lab::Command spawned;
  spawned.arguments = command.arguments;
  spawned.environment = command.environment;
  spawned.fds = fds;
  spawned.in_our_group = true;
  auto made = lab::spawn({}, spawned);
  if (!made) return tl::unexpected(made.error());
  child.emplace(std::move(*made));
  end.assign(::fcntl(child->pidfd(), F_DUPFD_CLOEXEC, 0));
  read();
  watch();
  return {};
}

void ErlProcess::Impl::read() {
  output.async_read_some(boost::asio::buffer(buffer), [this](const error_code& error, size_t size) {
    if (error) return;
    tail.append(buffer.data(), size);
    if (tail.size() > kept_output) tail.erase(0, tail.size() - kept_output);
    read();
  });
}

void ErlProcess::Impl::watch() {
  end.async_wait(stream_descriptor::wait_read, [this](const error_code& error) {
    if (error) return;
    const auto exit = child->poll();
    if (!exit) return watch();
    take_output();
    say(exit->signal != 0 ? fmt::format("erl died of signal {}", exit->signal)
                          : fmt::format("erl ended with code {}", exit->code));
  });
}

// What is still in the pipe: its last words matter most.
void ErlProcess::Impl::take_output() {
  error_code error;
  for (size_t size = 1; size > 0 && !error;) {
    size = output.is_open() ? output.read_some(boost::asio::buffer(buffer), error) : 0;
    if (!error) tail.append(buffer.data(), size);
  }
}

std::string ErlProcess::Impl::printed() const {
  std::string out = tail.size() > kept_output ? tail.substr(tail.size() - kept_output) : tail;
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return out.empty() ? "" : "; it printed: " + out;
}

void ErlProcess::Impl::say(const std::string& how) {
  if (ended) std::exchange(ended, nullptr)(how + printed());
}

ErlProcess::ErlProcess(real::AsioLoop& loop, const ErlCommand& command, std::function<void(const std::string&)> ended)
    : impl_(std::make_unique<Impl>(loop, std::move(ended))) {
  const auto started = impl_->start(command);
  if (started) return;
  impl_->loop.post([this, why = started.error()] {
    impl_->say(why.find("No such file") == std::string::npos
                   ? why
                   : "there is no `erl` in the PATH; real BEAM nodes need Debian's package erlang-base");
  });
}

ErlProcess::~ErlProcess() = default;

int ErlProcess::pid() const {
  return impl_->child ? impl_->child->pid() : -1;
}

}  // namespace distlab::beam

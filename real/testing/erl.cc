#include "real/testing/erl.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace distlab::real {
namespace {

using namespace std::chrono_literals;

// Marks a result among what the node prints.
constexpr std::string_view marker = "@distlab-result ";

// The end of the input ends the node, so that none outlives its test.
constexpr const char* evaluator =
    "spawn(fun() -> Loop = fun L(B) ->"
    "  case io:parse_erl_exprs('') of"
    "    {ok, Es, _} ->"
    "      {R, N} = try {value, V, B2} = erl_eval:exprs(Es, B), {io_lib:format(\"~0p\", [V]), B2}"
    "        catch C:E -> {io_lib:format(\"~0p: ~0p\", [C, E]), B} end,"
    "      io:format(\"~n@distlab-result ~ts~n\", [R]), L(N);"
    "    {error, E, _} -> io:format(\"~n@distlab-result syntax: ~0p~n\", [E]), L(B);"
    "    _ -> erlang:halt(0)"
    "  end end, Loop([]) end).";

std::vector<std::string> arguments(const ErlOptions& options) {
  // One scheduler each: the tests run beside others.
  std::vector<std::string> args{"erl", "+S", "1:1",   "+SDcpu", "1:1",      "+SDio", "1",
                                "+A",  "1",  "+sbwt", "none",   "-noshell", "-boot", "start_clean"};
  if (!options.name.empty()) {
    for (const std::string& setting : options.kernel) {
      const size_t space = setting.find(' ');
      args.insert(args.end(), {"-kernel", setting.substr(0, space), setting.substr(space + 1)});
    }
    args.insert(args.end(), {"-kernel", "inet_dist_use_interface", "{127,0,0,1}"});
    args.insert(args.end(), {"-name", options.name, "-setcookie", options.cookie, "-start_epmd", "false"});
  }
  args.insert(args.end(), {"-eval", evaluator});
  return args;
}

std::vector<std::string> environment(const ErlOptions& options, const std::filesystem::path& home) {
  const char* const path = std::getenv("PATH");
  return {fmt::format("PATH={}", path ? path : "/usr/bin:/bin"),
          fmt::format("HOME={}", home.string()),
          fmt::format("ERL_INETRC={}", (home / "inetrc").string()),
          fmt::format("ERL_EPMD_PORT={}", options.epmd_port),
          "ERL_CRASH_DUMP=/dev/null",
          "LC_ALL=C.UTF-8"};
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// All names of one address must stand in one tuple: a second would replace the first.
void write_inetrc(const std::filesystem::path& file, const ErlOptions& options) {
  std::ofstream out(file);
  out << "{lookup,[file]}.\n{host,{127,0,0,1},[";
  for (size_t i = 0; i < options.host_names.size(); ++i) out << (i ? "," : "") << '"' << options.host_names[i] << '"';
  out << "]}.\n";
}

}  // namespace

Erl::Erl(AsioLoop& loop, const ErlOptions& options) : loop_(loop) {
  std::string pattern = (std::filesystem::temp_directory_path() / "distlab-erl-XXXXXX").string();
  if (!::mkdtemp(pattern.data())) {
    ADD_FAILURE() << "mkdtemp: " << std::strerror(errno);
    return;
  }
  home_ = pattern;
  write_inetrc(home_ / "inetrc", options);
  std::array<int, 2> in{}, out{};
  // A socket as its input: writing to a dead node is then an error and no signal.
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in.data()) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) {
    ADD_FAILURE() << "no pipes: " << std::strerror(errno);
    return;
  }
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], 2);
  auto args = arguments(options);
  auto env = environment(options, home_);
  const int error = ::posix_spawnp(&pid_, "erl", &actions, nullptr, pointers(args).data(), pointers(env).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  to_ = in[1];
  from_ = out[0];
  ::fcntl(from_, F_SETFL, O_NONBLOCK);
  if (error != 0) {
    pid_ = -1;
    ADD_FAILURE() << "erl does not start: " << std::strerror(error);
    return;
  }
  EXPECT_EQ(eval("ready."), "ready") << "erl does not come up; it printed:\n" << log_;
}

Erl::~Erl() {
  if (to_ >= 0) ::close(to_);
  if (pid_ > 0) {
    // It halts at the end of its input; one that is stopped or stuck does not.
    for (int tries = 0; tries < 100 && ::waitpid(pid_, nullptr, WNOHANG) == 0; ++tries) {
      if (tries == 50) ::kill(pid_, SIGKILL);
      std::this_thread::sleep_for(20ms);
    }
  }
  if (from_ >= 0) ::close(from_);
  std::error_code ignored;
  if (!home_.empty()) std::filesystem::remove_all(home_, ignored);
}

void Erl::kill() {
  if (pid_ > 0 && ::kill(pid_, SIGKILL) == 0) ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string Erl::eval(const std::string& expression, Duration limit) {
  start_eval(expression);
  std::optional<std::string> value;
  loop_.run_until([&] { return (value = result()).has_value(); }, limit);
  if (!value) ADD_FAILURE() << "no result of " << expression << " within " << to_seconds(limit) << " s; log:\n" << log_;
  return value.value_or("");
}

void Erl::start_eval(const std::string& expression) {
  result_.reset();
  const std::string line = expression + "\n";
  if (::send(to_, line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) {
    ADD_FAILURE() << "erl takes no input: " << std::strerror(errno);
  }
}

std::optional<std::string> Erl::result() {
  read();
  return std::exchange(result_, std::nullopt);
}

const std::string& Erl::log() {
  read();
  return log_;
}

void Erl::read() {
  std::array<char, 16384> buffer;
  for (ssize_t size; (size = ::read(from_, buffer.data(), buffer.size())) > 0;) {
    input_.append(buffer.data(), static_cast<size_t>(size));
  }
  for (size_t end; (end = input_.find('\n')) != std::string::npos; input_.erase(0, end + 1)) {
    const std::string line = input_.substr(0, end);
    if (line.starts_with(marker)) {
      result_ = line.substr(marker.size());
    } else if (!line.empty()) {
      log_ += line + '\n';
    }
  }
}

}  // namespace distlab::real

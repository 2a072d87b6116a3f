#include "real/lab/tools.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/mman.h>

#include "real/lab/spawn.h"

namespace distlab::lab {
namespace {

// They start in 2 ms and then wait for the kernel's lock of network settings; more at once win nothing.
constexpr size_t max_at_once = 4;

struct Program {
  const char* name;
  const char* package;
  std::vector<std::string> arguments;
};

const Program& program(Tool tool) {
  static const Program ip{"ip", "iproute2", {"-batch", "-"}};
  static const Program tc{"tc", "iproute2", {"-batch", "-"}};
  static const Program nft{"nft", "nftables", {"-f", "-"}};
  switch (tool) {
    case Tool::ip:
      return ip;
    case Tool::tc:
      return tc;
    default:
      return nft;
  }
}

// PATH of an ordinary user leaves out where these live.
Result<std::string> find_program(const Program& program) {
  for (const char* directory : {"/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin"}) {
    std::string path = fmt::format("{}/{}", directory, program.name);
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return tl::make_unexpected(fmt::format("{} is not installed (Debian package {})", program.name, program.package));
}

struct Run {
  const Script* script;
  Child child;
  Fd output;
};

Result<Run> start(const Script& script, std::span<const int> shared) {
  const Result<std::string> path = find_program(program(script.tool));
  if (!path) return tl::make_unexpected(path.error());
  const Fd input(::memfd_create("commands", MFD_CLOEXEC));
  Fd output(::memfd_create("complaints", MFD_CLOEXEC));
  const std::string text = fmt::format("{}\n", fmt::join(script.lines, "\n"));
  if (!input || !output || ::write(input.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return failure("writing commands to a memory file", errno);
  }
  ::lseek(input.get(), 0, SEEK_SET);
  Command command;
  command.arguments = program(script.tool).arguments;
  command.arguments.insert(command.arguments.begin(), *path);
  command.environment = {"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  command.fds = {{0, input.get()}, {1, output.get()}, {2, output.get()}};
  for (const int fd : shared) command.fds.emplace(fd, fd);
  Result<Child> child = spawn({.network = script.network, .host_name = ""}, command);
  if (!child) return tl::make_unexpected(child.error());
  return Run{&script, std::move(*child), std::move(output)};
}

Result<void> finish(Run& run) {
  const Exit exit = run.child.wait();
  if (exit == Exit{}) return {};
  std::string complaint(4096, '\0');
  const ssize_t length = ::pread(run.output.get(), complaint.data(), complaint.size(), 0);
  complaint.resize(static_cast<size_t>(std::max<ssize_t>(length, 0)));
  if (complaint.empty()) complaint = fmt::format("ended with code {}, signal {}", exit.code, exit.signal);
  return tl::make_unexpected(explain(*run.script, complaint));
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace

std::string explain(const Script& script, const std::string& complaint) {
  // ip and tc end with "Command failed -:3"; nft begins with "/dev/stdin:3:1-5: Error: ...".
  constexpr std::string_view failed = "Command failed -:";
  constexpr std::string_view error = ": Error: ";
  size_t number = 0;
  std::vector<std::string> said;
  for (const std::string& line : lines_of(complaint)) {
    if (line.starts_with(failed)) {
      std::from_chars(line.data() + failed.size(), line.data() + line.size(), number);
    } else if (const size_t at = line.find(error); script.tool == Tool::nft && at != std::string::npos) {
      const size_t colon = line.find(':');
      if (number == 0) std::from_chars(line.data() + colon + 1, line.data() + line.size(), number);
      said.push_back(line.substr(at + error.size()));
    } else if (script.tool != Tool::nft) {
      said.push_back(line);  // nft's further lines show where in the command
    }
  }
  if (said.empty()) said = lines_of(complaint);
  const std::string command = number >= 1 && number <= script.lines.size() ? script.lines[number - 1] : "(commands)";
  return fmt::format("{} {}: {} (in {})", program(script.tool).name, command, fmt::join(said, "; "), script.place);
}

Result<void> run_scripts(std::span<const Script> scripts, std::span<const int> shared) {
  Result<void> result;
  std::vector<Run> running;
  const auto finish_first = [&] {
    const Result<void> finished = finish(running.front());
    if (!finished && result) result = finished;
    running.erase(running.begin());
  };
  for (const Script& script : scripts) {
    if (!result) break;
    if (running.size() == max_at_once) finish_first();
    Result<Run> run = start(script, shared);
    if (run) {
      running.push_back(std::move(*run));
    } else {
      result = tl::make_unexpected(run.error());
    }
  }
  while (!running.empty()) finish_first();
  return result;
}

}  // namespace distlab::lab

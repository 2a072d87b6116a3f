#include "real/bench/beam_pair.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "models/quic/credentials.h"
#include "real/bench/process.h"

namespace distlab::bench {
namespace {

using namespace std::chrono_literals;
using lab::failure;
using lab::Result;

constexpr const char* cookie = "distlab-bench";
constexpr Duration start_limit = 30s;
constexpr Duration connect_limit = 60s;
constexpr size_t shown_output = 600;  // the last bytes of what a process has printed
// Descriptors of a BEAM: what it reads as files.
constexpr int first_file = 3;

// Schedulers that spin while they wait would take the processors from those they wait for.
constexpr std::array beam_flags{"+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none"};

void add(std::vector<std::string>& to, std::initializer_list<std::string> more) {
  to.insert(to.end(), more);
}

quic::Secret secret() {
  quic::Secret out;
  if (::getrandom(out.data(), out.size(), 0) != static_cast<ssize_t>(out.size())) std::abort();
  return out;
}

lab::Fd memory_file(const std::string& text) {
  lab::Fd fd(::memfd_create("distlab-bench", MFD_CLOEXEC));
  if (fd && ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) fd.reset();
  return fd;
}

// Nothing: it is taken, or the address is not this machine's.
std::optional<uint16_t> bindable(const std::string& host, uint16_t port) {
  const lab::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  socklen_t size = sizeof address;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) return std::nullopt;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

// A port that is free at both addresses; another may take it before we do, which is said then.
uint16_t free_port(const std::string& one, const std::string& other) {
  constexpr int tries = 20;
  for (int i = 0; i < tries; ++i) {
    const auto port = bindable(one, 0);
    if (port && bindable(other, *port)) return *port;
  }
  return 0;
}

// erl's own words for an address: {127,0,0,1}.
std::string as_tuple(std::string address) {
  std::replace(address.begin(), address.end(), '.', ',');
  return "{" + address + "}";
}

// What a PEM text holds, as Erlang writes a binary: <<48,130,...>>.
std::string as_binary(const std::string& pem) {
  BIO* const text = ::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  char *name = nullptr, *header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  std::string out;
  if (::PEM_read_bio(text, &name, &header, &data, &size) == 1)
    out = fmt::format("<<{}>>", fmt::join(data, data + size, ","));
  ::OPENSSL_free(name);
  ::OPENSSL_free(header);
  ::OPENSSL_free(data);
  ::BIO_free(text);
  return out;
}

}  // namespace

std::string_view to_string(Way way) {
  switch (way) {
    case Way::tcp:
      return "tcp";
    case Way::tls:
      return "tls";
    case Way::macula:
      return "macula";
    case Way::unmodified:
      return "unmodified";
  }
  return "unknown";
}

std::string_view to_string(Part part) {
  switch (part) {
    case Part::near_beam:
      return "near_beam";
    case Part::near_agent:
      return "near_agent";
    case Part::relay:
      return "relay";
    case Part::far_agent:
      return "far_agent";
    case Part::far_beam:
      return "far_beam";
  }
  return "unknown";
}

BeamPair::BeamPair(Way way, BeamPrograms programs)
    : way_(way),
      programs_(std::move(programs)),
      near_{.name = "near@near.bench",
            .host = "near.bench",
            .address = relayed() ? "127.0.0.1" : "127.0.0.2",
            .beam = Part::near_beam,
            .agent = Part::near_agent,
            .link = {}},
      far_{.name = "far@far.bench",
           .host = "far.bench",
           .address = relayed() ? "127.0.0.1" : "127.0.0.3",
           .beam = Part::far_beam,
           .agent = Part::far_agent,
           .link = {}} {}

Result<std::unique_ptr<BeamPair>> BeamPair::start(Way way, const BeamPrograms& programs, const Patience& patience) {
  std::unique_ptr<BeamPair> pair(new BeamPair(way, programs));
  const auto begin = [&]() -> Result<void> {
    if (pair->relayed()) {
      if (auto started = pair->start_relay(patience); !started) return started;
      if (auto started = pair->start_agent(pair->near_, pair->far_, patience); !started) return started;
      if (auto started = pair->start_agent(pair->far_, pair->near_, patience); !started) return started;
    } else if (pair->port_ = free_port(pair->near_.address, pair->far_.address); pair->port_ == 0) {
      return tl::make_unexpected(std::string("no port is free at 127.0.0.2 and 127.0.0.3"));
    }
    if (auto started = pair->start_beam(pair->near_, patience); !started) return started;
    if (auto started = pair->start_beam(pair->far_, patience); !started) return started;
    const auto up = pair->ask(etf::tuple(etf::atom("connect"), etf::binary(pair->far_.name)), connect_limit, patience);
    if (!up) return tl::unexpected(up.error());
    if (*up != etf::tuple(etf::atom("connected"), etf::boolean(true)))
      return tl::make_unexpected(std::string("the two nodes do not connect"));
    return {};
  };
  if (const auto done = begin(); !done) return tl::unexpected(pair->explain(done.error()));
  return pair;
}

Result<etf::Term> BeamPair::ask(const etf::Term& order, Duration limit, const Patience& patience) {
  auto answer = near_.link->ask(order, limit, watched(patience));
  if (!answer) return tl::unexpected(explain(answer.error()));
  return answer;
}

PartTimes BeamPair::cpu() const {
  PartTimes out{};
  for (size_t i = 0; i < out.size(); ++i)
    if (running_[i].child) out[i] = cpu_of(running_[i].child->pid());
  return out;
}

// ---- relay and agents

Result<void> BeamPair::start_relay(const Patience& patience) {
  lab::Command command;
  command.arguments = {programs_.daemon, "relay", "--self-signed", "--listen", "127.0.0.1:0", "--control", "none"};
  if (auto launched = launch(Part::relay, std::move(command), false); !launched) return launched;
  const auto where = await_line(Part::relay, "listening udp=", patience);
  if (!where) return tl::unexpected(where.error());
  relay_ = where->substr(0, where->find(' '));
  return {};
}

Result<void> BeamPair::start_agent(Node& node, const Node& peer, const Patience& patience) {
  lab::Command command;
  command.arguments = {programs_.daemon, "agent", "--stdio", "--control", "none", "--port", "0",
                       "--relay",        relay_,  "--name",  node.name};
  if (way_ == Way::macula) add(command.arguments, {"--node", "macula"});
  if (way_ == Way::unmodified) add(command.arguments, {"--node", "beam", "--peer", peer.name});
  command.environment = {fmt::format("DISTLAB_COOKIE={}", cookie)};
  if (auto launched = launch(node.agent, std::move(command), true); !launched) return launched;
  const auto where = await_line(node.agent, "listening 127", patience);
  if (!where) return tl::unexpected(where.error());
  node.agent_address = "127" + *where;
  return {};
}

// ---- the nodes

Result<void> BeamPair::start_beam(Node& node, const Patience& patience) {
  auto link = BeamLink::listen();
  if (!link) return tl::unexpected(link.error());
  node.link = std::move(*link);

  lab::Command command;
  command.arguments = {"erl"};
  command.arguments.insert(command.arguments.end(), beam_flags.begin(), beam_flags.end());
  add(command.arguments, {"-noshell", "-noinput", "-name", node.name, "-setcookie", cookie, "-start_epmd", "false"});
  const std::vector<std::string> carrier = carrier_flags(node);
  command.arguments.insert(command.arguments.end(), carrier.begin(), carrier.end());
  const char* const path = std::getenv("PATH");
  command.environment = {fmt::format("PATH={}", path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin"), "HOME=/",
                         "LC_ALL=C.UTF-8", "ERL_CRASH_DUMP=/dev/null",
                         fmt::format("DISTLAB_BENCH={}", node.link->address())};
  if (way_ == Way::macula) {
    command.environment.push_back(fmt::format("DISTLAB_AGENT={}", node.agent_address));
  } else {
    std::string inetrc;
    const Node& peer = &node == &near_ ? far_ : near_;
    // An agent stands for the one peer its BEAM has at this address (gateway::EpmdFront).
    const char* const there = way_ == Way::unmodified ? "127.1.0.1" : peer.address.c_str();
    const std::string text =
        fmt::format("{{lookup,[file]}}.\n{{hosts_file,\"\"}}.\n{{host,{},[\"{}\"]}}.\n{{host,{},[\"{}\"]}}.\n",
                    as_tuple(node.address), node.host, as_tuple(there), peer.host);
    if (auto added = add_file(text, command, inetrc); !added) return added;
    command.environment.push_back(fmt::format("ERL_INETRC={}", inetrc));
  }
  // Without agents there is no EPMD either: where nobody listens, nobody is asked.
  const std::string epmd = way_ == Way::unmodified ? node.agent_address : fmt::format("127.0.0.1:{}", port_);
  if (way_ != Way::macula)
    command.environment.push_back(fmt::format("ERL_EPMD_PORT={}", epmd.substr(epmd.find(':') + 1)));
  if (way_ == Way::tls)
    if (auto added = add_certificate(node, command); !added) return added;
  add(command.arguments, {"-pa", programs_.applications + "/distlab_bench/ebin", "-s", "distlab_bench"});
  if (auto launched = launch(node.beam, std::move(command), false); !launched)
    return tl::make_unexpected(launched.error() + "; real Erlang nodes need Debian's package erlang-base");
  if (auto up = node.link->await(start_limit, watched(patience)); !up) return up;
  if (way_ != Way::macula) return {};
  const etf::Term join = etf::tuple(etf::atom("join"), etf::list({etf::binary("https://" + relay_)}));
  const auto joined = node.link->ask(join, connect_limit, watched(patience));
  if (!joined) return tl::unexpected(joined.error());
  return {};
}

std::vector<std::string> BeamPair::carrier_flags(const Node& node) const {
  const std::vector<std::string> interface { "-kernel", "inet_dist_use_interface", as_tuple(node.address) };
  std::vector<std::string> out;
  if (way_ == Way::macula) return {"-proto_dist", "macula", "-no_epmd", "-pa", programs_.applications + "/macula/ebin"};
  if (way_ == Way::tls) out = {"-proto_dist", "inet_tls"};
  if (!relayed()) add(out, {"-erl_epmd_port", fmt::format("{}", port_)});
  out.insert(out.end(), interface.begin(), interface.end());
  return out;
}

// Both nodes trust one authority, which is made for this process alone. What they need stands in the file of options
// itself: OTP looks for files by their real names, and those in memory have none.
Result<void> BeamPair::add_certificate(const Node& node, lab::Command& command) {
  static const quic::Authority authority("distlab bench", secret());
  const quic::PemPair pair =
      authority.issue({.common_name = node.host, .dns_names = {node.host}, .client = true}, secret());
  const std::string identity = fmt::format(
      "{{cert,{}}},{{key,{{'PrivateKeyInfo',{}}}}},{{cacerts,[{}]}},{{verify,verify_peer}},{{versions,['tlsv1.3']}}",
      as_binary(pair.certificate), as_binary(pair.key), as_binary(authority.certificate()));
  const std::string text =
      fmt::format("[{{server,[{},{{fail_if_no_peer_cert,true}}]}},{{client,[{}]}}].\n", identity, identity);
  std::string options;
  if (auto added = add_file(text, command, options); !added) return added;
  add(command.arguments, {"-ssl_dist_optfile", options});
  return {};
}

// ---- processes

Result<void> BeamPair::add_file(const std::string& text, lab::Command& command, std::string& path) {
  const int number = first_file + static_cast<int>(command.fds.size());
  files_.push_back(memory_file(text));
  if (!files_.back()) return failure("memfd_create", errno);
  command.fds[number] = files_.back().get();
  path = fmt::format("/proc/self/fd/{}", number);
  return {};
}

Result<void> BeamPair::launch(Part part, lab::Command command, bool with_input) {
  Running& out = running(part);
  out.output = memory_file("");
  if (!out.output) return failure("memfd_create", errno);
  command.fds[1] = command.fds[2] = out.output.get();
  lab::Fd theirs;
  if (with_input) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return failure("pipe2", errno);
    theirs = lab::Fd(pipe[0]);
    out.input = lab::Fd(pipe[1]);
    command.fds[0] = theirs.get();
  }
  command.in_our_group = true;
  auto child = lab::spawn({}, command);
  if (!child) return tl::unexpected(child.error());
  out.child.emplace(std::move(*child));
  return {};
}

std::string BeamPair::Running::printed() const {
  if (!output) return {};
  constexpr off_t enough = 16 * 1024;
  struct stat there {};
  ::fstat(output.get(), &there);
  std::string out(enough, '\0');
  const ssize_t size = ::pread(output.get(), out.data(), out.size(), std::max<off_t>(there.st_size - enough, 0));
  out.resize(static_cast<size_t>(std::max<ssize_t>(size, 0)));
  return out;
}

// What follows these words in a line, once there is such a line.
Result<std::string> BeamPair::await_line(Part part, std::string_view beginning, const Patience& patience) {
  constexpr int step_ms = 5;
  const Patience patient = watched(patience);
  for (int tries = static_cast<int>(start_limit / std::chrono::milliseconds{step_ms}); tries > 0; --tries) {
    const std::string text = running(part).printed();
    const size_t begin = text.find(beginning);
    if (const size_t end = begin == std::string::npos ? begin : text.find('\n', begin); end != std::string::npos)
      return text.substr(begin + beginning.size(), end - begin - beginning.size());
    if (auto going_on = patient(); !going_on) return tl::unexpected(going_on.error());
    ::poll(nullptr, 0, step_ms);
  }
  return tl::make_unexpected(fmt::format("{} does not say where it listens", to_string(part)));
}

// That of whoever measures, and that of somebody whose processes may end.
Patience BeamPair::watched(const Patience& patience) {
  return [this, &patience]() -> Result<void> {
    if (auto going_on = patience(); !going_on) return going_on;  // ctrl-C reaches the processes, too
    for (const Part part : all_parts) {
      const auto exit = running(part).child ? running(part).child->poll() : std::nullopt;
      if (exit)
        return tl::make_unexpected(
            fmt::format("{} ended (code {}, signal {})", to_string(part), exit->code, exit->signal));
    }
    return {};
  };
}

std::string BeamPair::explain(const std::string& error) const {
  std::string out = error;
  for (const Part part : all_parts) {
    std::string text = running_[static_cast<size_t>(part)].printed();
    if (part == Part::relay || text.empty()) continue;
    if (text.size() > shown_output) text.erase(0, text.size() - shown_output);
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    out += fmt::format("; {} printed: {}", to_string(part), text);
  }
  return out;
}

}  // namespace distlab::bench

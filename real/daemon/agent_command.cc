#include <memory>

#include <fmt/format.h>

#include "real/daemon/agent_daemon.h"
#include "real/daemon/beam_agent.h"
#include "real/daemon/command_line.h"
#include "real/daemon/commands.h"
#include "real/daemon/control_client.h"
#include "real/daemon/exit_codes.h"
#include "real/daemon/print.h"

namespace distlab::daemon {
namespace {

constexpr const char* examples =
    "Examples, with the cookie in $DISTLAB_COOKIE, --cookie-file or ~/.erlang.cookie:\n"
    "  distlab agent --name alice@home.test --relay 127.0.0.1:4433     a node that is reached over a relay\n"
    "  distlab agent --name bob@office.test --relay 127.0.0.1:4433     and another\n"
    "  distlab agent ping bob@office.test --name alice@home.test       ask alice to ping bob: pong\n"
    "  distlab agent nodes --name alice@home.test                      her nodes()\n"
    "  distlab agent tunnels --name alice@home.test                    what goes through the relay\n"
    "  distlab agent --name carol@127.0.0.1                            plain TCP and EPMD, as `erl -name`\n"
    "  distlab agent --config alice.yaml --check                       is everything right with the file?\n\n"
    "A file:\n"
    "  name: alice@home.test\n"
    "  cookie_file: /etc/distlab/cookie\n"
    "  relays: [berlin.example.org:4433, milan.example.org]\n"
    "  realm: io.example\n"
    "  tls_verify: peer\n"
    "  ca: authorities.pem\n"
    "  connect: [bob@office.test]\n\n"
    "All its keys: distlab agent --name a@b.c --print-config\n"
    "Exit codes: 0 stopped by SIGTERM or SIGINT, or the answer is yes; 1 the answer is no (pang); 64 bad command\n"
    "line or file, 69 port or control socket taken, no EPMD (or nobody answers there), 70 internal error.";

int run_agent(const scenario::Value& tree, bool check_only) {
  auto config = agent_config(tree);
  if (!config) return refuse(config.error());
  const bool native = config->implementation() == scenario::Implementation::native;
  if (!check_only) return native ? AgentDaemon(std::move(*config)).run() : BeamAgent(std::move(*config)).run();
  if (const auto checked = AgentDaemon::check(*config); !checked) {
    return refuse(Kind::agent, checked.error().code, checked.error().line);
  }
  fmt::print("good\n");
  return exit_ok;
}

// Prints what `text` makes of the answer, unless JSON was asked for.
auto printer(const std::shared_ptr<CommandLine>& line, std::function<std::string(const Json&)> text,
             std::function<bool(const Json&)> yes = {}) {
  return [line, text = std::move(text), yes = std::move(yes)](const ControlResponse& answer) {
    const Json json = Json::parse(answer.body);
    fmt::print("{}", line->json() ? answer.body : text(json));
    return int{!yes || yes(json) ? exit_ok : exit_negative};
  };
}

// A command that takes a node.
void peer_command(const std::shared_ptr<CommandLine>& line, const std::string& name, const std::string& help,
                  const std::function<std::string(const std::string& peer, const Json&)>& text,
                  const std::function<bool(const Json&)>& yes) {
  const auto peer = std::make_shared<std::string>();
  CLI::App* const command = line->command(name, help, [=] {
    return CommandLine::Question{"POST", fmt::format("/{}?node={}", name, query_encoded(*peer)),
                                 printer(
                                     line, [=](const Json& json) { return text(*peer, json); }, yes)};
  });
  command->add_option("NODE", *peer, "its node name")->required();
}

std::string nodes_text(const Json& json) {
  std::string out;
  for (const Json& node : json["nodes"]) out += node.get<std::string>() + "\n";
  for (const Json& node : json["hidden"]) out += node.get<std::string>() + " (hidden)\n";
  return out;
}

void add_peer_commands(const std::shared_ptr<CommandLine>& line) {
  peer_command(
      line, "ping", "net_adm:ping/1, connecting if need be: pong (exit 0) or pang (1)",
      [](const std::string& peer, const Json& json) {
        return fmt::format("{} {} {:.3f} ms\n", json["result"].get<std::string>(), peer,
                           json["seconds"].get<double>() * 1000);
      },
      [](const Json& json) { return json["result"] == "pong"; });
  peer_command(
      line, "connect", "net_kernel:connect_node/1",
      [](const std::string& peer, const Json& json) {
        return fmt::format("{} {}\n", json["connected"] == true ? "connected to" : "not connected to", peer);
      },
      [](const Json& json) { return json["connected"] == true; });
  peer_command(line, "disconnect", "erlang:disconnect_node/1",
               [](const std::string& peer, const Json&) { return fmt::format("disconnected from {}\n", peer); }, {});
}

}  // namespace

void add_agent(CLI::App& app, int& code) {
  const auto line = std::make_shared<CommandLine>(app, Kind::agent, "Run a node, or ask one that runs", code);
  line->app().footer(examples);
  line->flag("--node", "node", "native: distlab's own node; beam, macula: carry for a real Erlang node");
  line->list("--peer", "peers", "beam: a node it is to reach");
  line->flag("--port", "port", "beam, macula: TCP port at 127.0.0.1; any free one by default");
  line->toggle("--stdio", "stdio", "beam, macula: print where it listens, end with standard input");
  line->flag("--cookie-file", "cookie_file", "the cookie is its first line");
  line->flag("--carrier", "carrier", "relay, or tcp; follows from --relay");
  line->list("--relay", "relays", "HOST or HOST:PORT of a relay, tried in this order");
  line->flag("--realm", "realm", "nodes of different realms do not see each other");
  line->flag("--tls-verify", "tls_verify", "none, or peer: check the relay's certificate");
  line->flag("--ca", "ca", "PEM file with the authorities to check it with");
  line->list("--connect", "connect", "connect to this node at the start");
  line->on_start(run_agent);
  const auto simple = [&line](const std::string& name, const std::string& help, const std::string& target,
                              std::function<std::string(const Json&)> text) {
    line->command(name, help, [line, target, text = std::move(text)] {
      return CommandLine::Question{"GET", target, printer(line, text)};
    });
  };
  simple("status", "The node, its relay, its peers and tunnels", "/status",
         [](const Json& json) { return as_text(json); });
  simple("nodes", "nodes(), one a line", "/nodes", nodes_text);
  simple("tunnels", "Tunnels through relays, and what they carried", "/tunnels", as_table);
  line->command("metrics", "Counters, as Prometheus reads them", [] {
    return CommandLine::Question{"GET", "/metrics", [](const ControlResponse& answer) {
                                   fmt::print("{}", answer.body);
                                   return int{exit_ok};
                                 }};
  });
  add_peer_commands(line);
}

}  // namespace distlab::daemon

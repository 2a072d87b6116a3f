#include <memory>

#include <fmt/format.h>

#include "real/daemon/command_line.h"
#include "real/daemon/commands.h"
#include "real/daemon/exit_codes.h"
#include "real/daemon/print.h"
#include "real/daemon/relay_daemon.h"

namespace distlab::daemon {
namespace {

constexpr const char* examples =
    "Examples:\n"
    "  distlab relay --self-signed                       try it out: UDP port 4433, any realm\n"
    "  distlab relay --listen 127.0.0.1:0 --self-signed  a free port, which the log tells\n"
    "  distlab relay --config relay.yaml --check         is everything right with the file?\n"
    "  distlab relay --cert relay.crt --key relay.key --realm io.example --set limits.sessions=200\n"
    "  distlab relay status                              who is connected\n"
    "  distlab relay metrics                             Prometheus text\n"
    "  curl --unix-socket $XDG_RUNTIME_DIR/distlab/relay.sock http://localhost/metrics\n"
    "  kill -HUP PID                                     read the certificate again, for new sessions\n\n"
    "A file:\n"
    "  name: berlin\n"
    "  listen: 0.0.0.0:4433\n"
    "  certificate: berlin.crt\n"
    "  key: berlin.key\n"
    "  realms: [io.example]\n"
    "  limits: { sessions: 1000, frames_per_second: 500 }\n\n"
    "All its keys: distlab relay --self-signed --print-config\n"
    "Exit codes: 0 stopped by SIGTERM or SIGINT, 64 bad command line, file, certificate or key,\n"
    "69 port or control socket taken (or nobody answers there), 70 internal error.";

int run_relay(const scenario::Value& tree, bool check_only) {
  auto config = relay_config(tree);
  if (!config) return refuse(config.error());
  if (!check_only) return RelayDaemon(std::move(*config)).run();
  const auto certificate = RelayDaemon::check(*config);
  if (!certificate) return refuse(Kind::relay, certificate.error().code, certificate.error().line);
  const std::string doubt = certificate->doubt(std::chrono::system_clock::now());
  fmt::print("certificate {}{}\n", certificate->subject, doubt.empty() ? ": good" : ": warning: " + doubt);
  return exit_ok;
}

}  // namespace

void add_relay(CLI::App& app, int& code) {
  const auto line = std::make_shared<CommandLine>(app, Kind::relay, "Run a relay, or ask one that runs", code);
  CLI::App& relay = line->app();
  relay.footer(examples);
  line->flag("-l,--listen", "listen", "UDP address and port; port 0: any free one");
  line->flag("--cert", "certificate", "PEM file, the chain");
  line->flag("--key", "key", "PEM file, its private key");
  line->toggle("--self-signed", "self_signed", "a certificate of its own, made now and written nowhere");
  line->list("--realm", "realms", "a realm it admits");
  line->list("--identity", "identities", "an identity it admits");
  line->on_start(run_relay);
  line->command("status", "Who is connected, what waits, which limits were met", [line] {
    return CommandLine::Question{"GET", "/status", [line](const ControlResponse& answer) {
                                   fmt::print("{}", line->json() ? answer.body : as_text(Json::parse(answer.body)));
                                   return int{exit_ok};
                                 }};
  });
  const auto plain = [](const ControlResponse& answer) {
    fmt::print("{}", answer.body);
    return int{exit_ok};
  };
  line->command("metrics", "Counters, as Prometheus reads them", [plain] {
    return CommandLine::Question{"GET", "/metrics", plain};
  });
  line->command("certificate", "Its certificate as PEM: what agents may verify it with (--ca)", [plain] {
    return CommandLine::Question{"GET", "/certificate", plain};
  });
}

}  // namespace distlab::daemon

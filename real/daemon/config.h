// How a daemon is told what to do: a YAML file and flags, which win. Keys that a scenario has, too, are read
// by the scenario format's own tables, so they mean the same and are checked alike.
//
//   auto file = read_config(Kind::relay, "relay.yaml", flags);   // tree, checked
//   RelayConfig config = relay_config(*file, messages);
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "models/host/endpoint.h"
#include "models/mesh/client_settings.h"
#include "real/daemon/log.h"
#include "scenarios/document.h"
#include "scenarios/loader.h"
#include "scenarios/scenario.h"
#include "scenarios/shape.h"

namespace distlab::daemon {

enum class Kind { relay, agent };
std::string_view to_string(Kind kind);

// A flag as the user wrote it, and where it goes: {"--listen", "listen", {"127.0.0.1:4433"}}. A list has as
// many values as the flag was given; `yaml`: the value is YAML, as after --set.
struct Flag {
  std::string name;
  std::string path;  // dotted: "limits.sessions"
  std::vector<std::string> values;
  bool list = false, yaml = false;
};

using Wrong = std::vector<scenario::Diagnostic>;

const scenario::Shape& config_shape(Kind kind);
// The file (none if the path is empty) with the flags laid over it, compared with the shape.
tl::expected<scenario::Value, Wrong> read_config(Kind kind, const std::string& path, const std::vector<Flag>& flags);
// All of it as a file again: what is given, and below it, as comments, what else there is and its default.
std::string print_config(Kind kind, const scenario::Value& tree);

struct Common {
  std::string name;
  std::string control;  // path of the control socket; empty: none
  LogSettings log;
  // What the scenario format says of this process: relays["daemon"] or nodes["daemon"].
  scenario::Scenario scenario;
};

struct RelayConfig : Common {
  Endpoint listen;
  std::string certificate, key, reset_key;  // paths; empty: none
  bool self_signed = false;
  std::vector<std::string> identities;
  const scenario::Relay& relay() const { return scenario.relays.at("daemon"); }
};

struct AgentConfig : Common {
  std::string cookie;
  std::string cookie_file;  // it came from there; empty: from elsewhere
  std::vector<mesh::RelayAddress> relays;
  std::string ca;  // path; empty: none
  Ipv4 listen = any_address;
  bool serve_epmd = true;
  std::vector<std::string> connect;  // at the start
  std::map<std::string, std::vector<Ipv4>> hosts;
  // Of the agent of a BEAM:
  std::vector<std::string> peers;  // of `beam`: the nodes it can reach
  uint16_t port = 0;               // at 127.0.0.1: of EPMD (`beam`) or of the agent (`macula`); 0: any
  bool stdio = false;              // says on standard output where it listens, and ends with standard input
  scenario::Implementation implementation() const { return node().implementation; }
  const scenario::Node& node() const { return scenario.nodes.at("daemon"); }
  scenario::Node& node() { return scenario.nodes.at("daemon"); }
};

// From a tree that read_config() has accepted.
tl::expected<RelayConfig, Wrong> relay_config(const scenario::Value& tree);
tl::expected<AgentConfig, Wrong> agent_config(const scenario::Value& tree);

// "relay.example:4433", or without a port.
std::optional<mesh::RelayAddress> parse_relay(std::string_view text);
// "https://relay.example:4433", as macula:join_mesh/1 has it, or without the scheme.
std::optional<mesh::RelayAddress> parse_relay_url(std::string_view text);
std::optional<Endpoint> parse_endpoint(std::string_view text);  // "127.0.0.1:4433", ":4433", "127.0.0.1"

// $XDG_RUNTIME_DIR/distlab/NAME.sock, or /run/distlab/NAME.sock.
std::string default_control_folder();
std::string default_control(const std::string& name);

}  // namespace distlab::daemon

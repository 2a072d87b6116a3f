#include "real/daemon/config.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <unistd.h>

#include "scenarios/builder.h"
#include "scenarios/check.h"
#include "scenarios/fields.h"
#include "scenarios/include.h"

namespace distlab::daemon {
namespace {

using scenario::Diagnostic;
using scenario::Mark;
using scenario::Member;
using scenario::Report;
using scenario::Value;
namespace fs = std::filesystem;

constexpr std::string_view daemon_key = "daemon";

Value map_at(const Mark& mark) {
  Value map;
  map.kind = Value::Kind::map;
  map.mark = mark;
  return map;
}

void mark_all(Value& value, const Mark& mark) {
  value.mark = mark;
  for (Value& item : value.items) mark_all(item, mark);
  for (Member& member : value.members) {
    member.mark = mark;
    mark_all(member.value, mark);
  }
}

// The map's member of this name, which is made if there is none.
Value& member(Value& map, std::string_view key, const Mark& mark) {
  if (Member* found = map.find(key)) return found->value;
  map.members.push_back({std::string(key), mark, map_at(mark)});
  return map.members.back().value;
}

std::optional<Value> flag_value(const Flag& flag, const Mark& mark, Report& report) {
  if (flag.yaml) {
    std::vector<Diagnostic> also_wrong;
    auto value = scenario::parse_yaml(flag.values.front(), flag.name, also_wrong);
    if (!value || !also_wrong.empty()) {
      report.add(mark, "the value is not YAML: " + (value ? also_wrong.front() : value.error()).message);
      return std::nullopt;
    }
    mark_all(*value, mark);
    return std::move(*value);
  }
  if (!flag.list) return scenario::make_scalar(flag.values.front(), mark);
  Value list;
  list.kind = Value::Kind::list;
  list.mark = mark;
  for (const std::string& text : flag.values) list.items.push_back(scenario::make_scalar(text, mark));
  return list;
}

void lay_over(Value& root, const Flag& flag, Report& report) {
  const Mark mark{std::make_shared<const std::string>(flag.name), 0, 0};
  auto value = flag_value(flag, mark, report);
  if (!value) return;
  Value* at = &root;
  for (std::string_view rest = flag.path;;) {
    const size_t dot = rest.find('.');
    Value& next = member(*at, rest.substr(0, dot), mark);
    if (dot == std::string_view::npos) {
      next = std::move(*value);
      return;
    }
    if (!next.is_map()) next = map_at(mark);
    at = &next;
    rest = rest.substr(dot + 1);
  }
}

std::optional<Value> read_file(const std::string& path, Report& report) {
  const Mark mark{std::make_shared<const std::string>(path), 0, 0};
  const auto text = scenario::read_file(path);
  if (!text || text->size() > scenario::max_file_size) {
    report.add(mark, text ? "it is too large" : text.error());
    return std::nullopt;
  }
  std::vector<Diagnostic> also_wrong;
  auto root = scenario::parse_document(*text, path, also_wrong);
  for (Diagnostic& wrong : also_wrong) report.add(std::move(wrong));
  if (root) return std::move(*root);
  report.add(root.error());
  return std::nullopt;
}

// A path in a file is relative to the file; one on the command line, to where we are.
std::string path_of(const Value& map, std::string_view key) {
  const Value* value = scenario::scalar_of(map, key);
  if (value == nullptr) return "";
  if (value->mark.line == 0 || value->mark.file == nullptr || fs::path(value->text).is_absolute()) return value->text;
  return (fs::path(*value->mark.file).parent_path() / value->text).string();
}

std::vector<std::string> list_of(const Value& map, std::string_view key) {
  std::vector<std::string> out;
  if (const Value* list = map.get(key)) {
    for (const Value& item : list->items) out.push_back(item.text);
  }
  return out;
}

// A scenario of one site and this process, out of those keys that a scenario knows: the scenario room then
// reads them, with its own defaults and its own complaints.
scenario::Scenario as_scenario(Kind kind, const Value& tree, Report& report) {
  const std::string_view part = kind == Kind::relay ? "relays" : "nodes";
  const scenario::Shape& shape = scenario::find_key(scenario::resolved_shape(), part)->shape.parts.front();
  Value process = map_at(tree.mark);
  for (const Member& one : tree.members) {
    const bool ours = one.key == "name" ? kind == Kind::relay
                                        : one.key == "listen" || one.key == "relays" || one.key == "certificate" ||
                                              one.key == "carrier";
    if (!ours && scenario::find_key(shape, one.key) != nullptr) process.members.push_back(one);
  }
  process.members.push_back({"site", tree.mark, scenario::make_scalar("here", tree.mark)});
  Value root = map_at(tree.mark);
  member(member(root, "sites", tree.mark), "here", tree.mark);
  member(root, part, tree.mark).members.push_back({std::string(daemon_key), tree.mark, std::move(process)});
  if (kind == Kind::relay) {  // there is no scenario without a node
    Value& nobody = member(member(root, "nodes", tree.mark), "nobody", tree.mark);
    nobody.members.push_back({"site", tree.mark, scenario::make_scalar("here", tree.mark)});
  }
  size_t actions = 0;
  return scenario::Builder(root, report, actions).build();
}

Common common(const Value& tree, std::string name) {
  Common out;
  out.name = std::move(name);
  const bool uncontrolled = scenario::text_field(tree, "control") == "none";
  if (!uncontrolled) out.control = path_of(tree, "control");
  if (!uncontrolled && out.control.empty()) out.control = default_control(out.name);
  if (const Value* log = tree.get("log")) {
    out.log.level = parse_log_level(scenario::text_field(*log, "level", "info")).value_or(out.log.level);
    if (scenario::text_field(*log, "format") == "json") out.log.format = LogFormat::json;
    out.log.burst = scenario::integer_field<size_t>(*log, "burst", 1, 1'000'000).value_or(out.log.burst);
    out.log.window = scenario::duration_field(*log, "window").value_or(out.log.window);
  }
  return out;
}

bool given(const Value& tree, std::string_view key) {
  return tree.get(key) != nullptr;
}

// The first line of a file, without blanks at its end, as erl reads ~/.erlang.cookie.
std::optional<std::string> first_line(const std::string& path, const Mark& mark, Report& report) {
  const auto text = scenario::read_file(path);
  if (!text) {
    report.add(mark, fmt::format("cookie file {}: {}", path, text.error()));
    return std::nullopt;
  }
  std::string line = text->substr(0, text->find('\n'));
  while (!line.empty() && (line.back() == ' ' || line.back() == '\r' || line.back() == '\t')) line.pop_back();
  if (line.empty() || line.size() > 255) {
    report.add(mark, fmt::format("cookie file {}: a cookie is an atom of 1 to 255 characters", path));
  }
  return line;
}

void find_cookie(const Value& tree, AgentConfig& config, Report& report) {
  if (const Value* cookie = scenario::scalar_of(tree, "cookie")) {
    config.cookie = cookie->text;
    return;
  }
  config.cookie_file = path_of(tree, "cookie_file");
  if (config.cookie_file.empty()) {
    if (const char* cookie = std::getenv("DISTLAB_COOKIE"); cookie != nullptr && *cookie != '\0') {
      config.cookie = cookie;
      return;
    }
    if (const char* home = std::getenv("HOME")) config.cookie_file = std::string(home) + "/.erlang.cookie";
  }
  const Value* file = tree.get("cookie_file");
  if (config.cookie_file.empty() || (file == nullptr && ::access(config.cookie_file.c_str(), F_OK) != 0)) {
    config.cookie_file.clear();
    report.add(tree.mark, "no cookie: give 'cookie_file' (--cookie-file), or set DISTLAB_COOKIE");
    return;
  }
  const Mark mark = file != nullptr ? file->mark : Mark{std::make_shared<const std::string>("~/.erlang.cookie"), 0, 0};
  config.cookie = first_line(config.cookie_file, mark, report).value_or("");
}

}  // namespace

tl::expected<Value, Wrong> read_config(Kind kind, const std::string& path, const std::vector<Flag>& flags) {
  Report report;
  Value root = map_at({std::make_shared<const std::string>("distlab " + std::string(to_string(kind))), 0, 0});
  if (!path.empty()) {
    if (auto read = read_file(path, report)) root = std::move(*read);
  }
  if (report.empty()) {
    for (const Flag& flag : flags) lay_over(root, flag, report);
    scenario::check(root, config_shape(kind), report);
  }
  if (!report.empty()) return tl::unexpected(report.finish());
  return root;
}

tl::expected<RelayConfig, Wrong> relay_config(const Value& tree) {
  Report report;
  RelayConfig out;
  static_cast<Common&>(out) = common(tree, scenario::text_field(tree, "name", "relay"));
  out.listen = *parse_endpoint(scenario::text_field(tree, "listen", "0.0.0.0:4433"));
  out.certificate = path_of(tree, "certificate");
  out.key = path_of(tree, "key");
  out.reset_key = path_of(tree, "reset_key");
  out.self_signed = scenario::boolean_field(tree, "self_signed").value_or(false);
  out.identities = list_of(tree, "identities");
  out.scenario = as_scenario(Kind::relay, tree, report);
  if (out.self_signed && (given(tree, "certificate") || given(tree, "key"))) {
    report.add(tree.mark, "'self_signed' and 'certificate' or 'key' exclude each other");
  } else if (!out.self_signed && (out.certificate.empty() || out.key.empty())) {
    report.add(tree.mark, "a relay needs 'certificate' and 'key' (--cert, --key); to try it out: --self-signed");
  }
  if (!report.empty()) return tl::unexpected(report.finish());
  return out;
}

// What the agent of a BEAM has, and what it cannot do without.
void read_beam(const Value& tree, AgentConfig& config, Report& report) {
  config.peers = list_of(tree, "peers");
  config.port = scenario::integer_field<uint16_t>(tree, "port", 0, 65535).value_or(0);
  config.stdio = scenario::boolean_field(tree, "stdio").value_or(false);
  const scenario::Implementation kind = config.implementation();
  if (kind == scenario::Implementation::macula) return;
  if (!given(tree, "name")) report.add(tree.mark, "missing key 'name' (--name)");
  if (kind == scenario::Implementation::native) return;
  if (config.node().carrier != scenario::CarrierKind::relay)
    report.add(tree.mark, "the agent of a BEAM is for relays (--relay HOST:PORT); over TCP a BEAM needs none");
  if (config.peers.empty())
    report.add(tree.mark, "an unmodified BEAM looks its peers up by host, so they must be known: 'peers' (--peer)");
}

tl::expected<AgentConfig, Wrong> agent_config(const Value& tree) {
  Report report;
  AgentConfig out;
  const bool macula = scenario::text_field(tree, "node") == "macula";
  const std::string nameless = macula ? fmt::format("macula-{}", ::getpid()) : "agent";
  static_cast<Common&>(out) = common(tree, scenario::text_field(tree, "name", nameless));
  out.scenario = as_scenario(Kind::agent, tree, report);
  scenario::Node& node = out.scenario.nodes.at(std::string(daemon_key));
  const std::string kind = scenario::text_field(tree, "node", "native");
  node.implementation = kind == "macula" ? scenario::Implementation::macula
                        : kind == "beam" ? scenario::Implementation::beam
                                         : scenario::Implementation::native;
  const bool joins_later = node.implementation == scenario::Implementation::macula;
  const std::string carrier = given(tree, "relays") || joins_later ? "relay" : "tcp";
  const bool over_relays = scenario::text_field(tree, "carrier", carrier) == "relay";
  node.carrier = over_relays ? scenario::CarrierKind::relay : scenario::CarrierKind::tcp;
  if (!joins_later) find_cookie(tree, out, report);
  node.cookie = out.cookie;
  for (const std::string& relay : list_of(tree, "relays")) out.relays.push_back(*parse_relay(relay));
  if (over_relays && out.relays.empty() && !joins_later)
    report.add(tree.mark, "carrier 'relay' needs 'relays' (--relay HOST:PORT)");
  read_beam(tree, out, report);
  out.ca = path_of(tree, "ca");
  if (node.membership.tls_verify == scenario::TlsVerify::peer && out.ca.empty()) {
    report.add(tree.mark, "'tls_verify: peer' needs 'ca', a file with the authorities to trust");
  }
  out.listen = Ipv4::parse(scenario::text_field(tree, "listen", "0.0.0.0")).value_or(any_address);
  out.serve_epmd = scenario::boolean_field(tree, "serve_epmd").value_or(true);
  out.connect = list_of(tree, "connect");
  if (const Value* hosts = tree.get("hosts")) {
    for (const Member& host : hosts->members) out.hosts[host.key] = {*Ipv4::parse(host.value.text)};
  }
  if (!report.empty()) return tl::unexpected(report.finish());
  return out;
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  Endpoint out{any_address, 4433};
  const size_t colon = text.find(':');
  const std::string_view address = text.substr(0, colon);
  if (!address.empty()) {
    const auto parsed = Ipv4::parse(address);
    if (!parsed) return std::nullopt;
    out.address = *parsed;
  } else if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  if (colon == std::string_view::npos) return out;
  const auto port = scenario::parse_integer(text.substr(colon + 1), 0, 65535);
  if (!port) return std::nullopt;
  out.port = static_cast<uint16_t>(*port);
  return out;
}

std::optional<mesh::RelayAddress> parse_relay(std::string_view text) {
  mesh::RelayAddress out{std::string(text), std::string(text.substr(0, text.find(':'))), 4433};
  const bool valid = !out.host_name.empty() && out.host_name.size() <= 255 &&
                     std::all_of(out.host_name.begin(), out.host_name.end(), [](char c) {
                       return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
                     });
  if (!valid) return std::nullopt;
  if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
    const auto port = scenario::parse_integer(text.substr(colon + 1), 1, 65535);
    if (!port) return std::nullopt;
    out.port = static_cast<uint16_t>(*port);
  }
  return out;
}

std::optional<mesh::RelayAddress> parse_relay_url(std::string_view text) {
  if (const size_t scheme = text.find("://"); scheme != std::string_view::npos) text.remove_prefix(scheme + 3);
  if (text.ends_with('/')) text.remove_suffix(1);
  return parse_relay(text);
}

std::string default_control_folder() {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  return (runtime != nullptr && *runtime == '/' ? std::string(runtime) : "/run") + "/distlab";
}

std::string default_control(const std::string& name) {
  return fmt::format("{}/{}.sock", default_control_folder(), name);
}

}  // namespace distlab::daemon

// The keys of a daemon's file. Those that scenarios have are taken from the scenario format.
#include <algorithm>

#include "real/daemon/config.h"
#include "scenarios/format_parts.h"
#include "scenarios/scalars.h"

namespace distlab::daemon {
namespace {

using scenario::Key;
using scenario::Shape;
namespace table = scenario::table;
using table::list_of;
using table::object;
using table::optional;

std::string check_path(std::string_view text) {
  return text.empty() ? "expected a path" : "";
}
std::string check_name(std::string_view text) {
  bool valid = !text.empty() && text.size() <= 255 && text.front() != '.';
  for (const char c : text) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    valid = valid && (word || std::string_view("_-.@").find(c) != std::string_view::npos);
  }
  return valid ? "" : "a name has letters, digits, '_', '-', '.' and '@': '" + std::string(text) + "'";
}
std::string check_endpoint(std::string_view text) {
  return parse_endpoint(text) ? "" : "expected ADDRESS:PORT as in 0.0.0.0:4433, not '" + std::string(text) + "'";
}
std::string check_address(std::string_view text) {
  return Ipv4::parse(text) ? "" : "expected an IPv4 address as in 10.0.0.7, not '" + std::string(text) + "'";
}
std::string check_relay(std::string_view text) {
  return parse_relay(text) ? ""
                           : "expected HOST or HOST:PORT as in relay.example.org:4433, not '" + std::string(text) + "'";
}
std::string check_host(std::string_view text) {
  return check_name(text).empty() ? "" : "expected a host name, not '" + std::string(text) + "'";
}

Shape path() {
  return table::with_check(scenario::text_shape("a path"), check_path, ".+");
}
Shape process_name() {
  return table::with_check(scenario::text_shape("a name"), check_name, "[A-Za-z0-9_@-][A-Za-z0-9_.@-]*");
}
Shape address() {
  return table::with_check(scenario::text_shape("an IPv4 address"), check_address, "[0-9.]+");
}

std::vector<Key> common_keys() {
  return {
      optional("control", path(), "Unix socket of `status`, `metrics` and the other commands; made with mode 0600.",
               "$XDG_RUNTIME_DIR/distlab/NAME.sock, or /run/distlab/NAME.sock"),
      optional("log",
               object({
                   optional("level", scenario::choice_shape("a log level", {"debug", "info", "warning", "error"}),
                            "The least that is logged.", "info"),
                   optional("format", scenario::choice_shape("a log format", {"text", "json"}), "Of a line.", "text"),
                   optional("burst", scenario::integer_shape(1, 1'000'000),
                            "Lines of one sort (event and reason) in a window; what is beyond is counted.", "10"),
                   optional("window", scenario::duration_shape(), "How long that window is.", "10s"),
               }),
               "One line per event, on standard error."),
  };
}

// Takes the keys of these names out of a part of the scenario format.
void adopt(std::vector<Key>& keys, const Shape& from, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (const Key* key = scenario::find_key(from, name)) keys.push_back(*key);
  }
}

void append(std::vector<Key>& keys, std::vector<Key> more) {
  std::move(more.begin(), more.end(), std::back_inserter(keys));
}

Shape relay_shape() {
  std::vector<Key> keys{
      optional("name", process_name(), "What it calls itself, and its control socket.", "relay"),
      optional("listen",
               table::with_check(scenario::text_shape("an address and port"), check_endpoint, "[0-9.]*(:[0-9]+)?"),
               "UDP address and port; port 0: any free one.", "0.0.0.0:4433"),
      optional("certificate", path(), "PEM file, the chain with its own certificate first. Read again on SIGHUP."),
      optional("key", path(), "PEM file (PKCS #8) with the certificate's private key: Ed25519, ECDSA or RSA."),
      optional("self_signed", scenario::boolean_shape(),
               "Instead of both: a certificate made at the start and kept in memory. For trying out.", "false"),
      optional("identities", list_of(table::word(), 1), "The identities (node names) it admits.", "any"),
      optional("reset_key", path(),
               "File of 32 secret bytes or more: clients learn of a restart at once, as with a scenario's "
               "`keeps_reset_key`."),
  };
  const Shape& relay = scenario::find_key(scenario::resolved_shape(), "relays")->shape.parts.front();
  adopt(keys, relay, {"realms", "validate_address"});
  append(keys, table::relay_keys());
  adopt(keys, relay, {"limits"});
  append(keys, common_keys());
  return object(std::move(keys));
}

Shape agent_shape() {
  const Shape& node = scenario::find_key(scenario::resolved_shape(), "nodes")->shape.parts.front();
  std::vector<Key> keys{
      optional("node", scenario::choice_shape("a node", {"native", "beam", "macula"}),
               "`native`: it is a node itself. `beam`, `macula`: it carries the distribution of a real Erlang node, an "
               "unmodified one or one with `-proto_dist macula`.",
               "native")};
  Key name = *scenario::find_key(node, "name");
  name.required = false;  // of `macula`: the node says it
  name.doc = "Erlang node name, with a dot in the host: alice@host.example, alice@10.0.0.7.";
  name.fallback = "";
  keys.push_back(std::move(name));
  append(keys, {
                   optional("cookie_file", path(), "The cookie is the file's first line. Read again on SIGHUP.",
                            "the environment's DISTLAB_COOKIE, or ~/.erlang.cookie"),
                   optional("cookie", table::cookie(), "The cookie itself; better not in a file that others read."),
               });
  adopt(keys, node, {"carrier"});
  append(
      keys,
      {
          optional(
              "relays",
              list_of(table::with_check(scenario::text_shape("a relay"), check_relay, "[A-Za-z0-9_.-]+(:[0-9]+)?"), 1),
              "HOST or HOST:PORT of its relays, in the order they are tried. For carrier `relay`."),
          optional("ca", path(), "PEM file with the authorities that relays' certificates must come from."),
      });
  adopt(keys, node, {"realm", "identity", "tls_verify", "preset", "epmd_port"});
  append(keys, {
                   optional("serve_epmd", scenario::boolean_shape(),
                            "Carrier `tcp`: be this machine's EPMD if there is none, for as long as it runs.", "true"),
                   optional("listen", address(), "Carrier `tcp`: address the node listens on.", "0.0.0.0"),
               });
  adopt(keys, node,
        {"listen_port", "net_ticktime", "net_tickintensity", "net_setuptime", "connect_all",
         "prevent_overlapping_partitions", "dist_buf_busy_limit", "hidden", "flags"});
  append(keys, {
                   optional("peers", list_of(scenario::erlang_name_shape(), 1),
                            "Node `beam`: the nodes it is to reach; each host gets an address of 127.0.0.0/8."),
                   optional("port", scenario::integer_shape(0, 65535),
                            "Nodes `beam` and `macula`: TCP port at 127.0.0.1, of EPMD or of the agent; 0: any.", "0"),
                   optional("stdio", scenario::boolean_shape(),
                            "Nodes `beam` and `macula`: say on standard output where it listens, and end with standard "
                            "input: for a parent process.",
                            "false"),
                   optional("connect", list_of(scenario::erlang_name_shape(), 1), "Nodes to connect to at the start."),
                   optional("hosts", table::names(address(), check_host, "[A-Za-z0-9_.-]+"),
                            "Host names and their addresses, before the system's resolver is asked."),
               });
  adopt(keys, node, {"tunnel", "mesh"});
  append(keys, common_keys());
  return object(std::move(keys));
}

}  // namespace

std::string_view to_string(Kind kind) {
  return kind == Kind::relay ? "relay" : "agent";
}

const Shape& config_shape(Kind kind) {
  static const Shape relay = relay_shape(), agent = agent_shape();
  return kind == Kind::relay ? relay : agent;
}

}  // namespace distlab::daemon

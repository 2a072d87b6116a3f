// A scenario as plain data: what exists, what happens, what must hold (design.md section 7).
//
// The loader makes these from YAML, with every default filled in and every reference checked: a
// name used here exists. Grounds read them and decide nothing that is not said here.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace distlab::scenario {

using Duration = std::chrono::nanoseconds;

// "10s" or "10s..14s": drawn uniformly for each seed from a random stream named after its place in
// the file, so that another draw elsewhere does not move it.
struct TimeRange {
  Duration low{0};
  Duration high{0};
  bool operator==(const TimeRange&) const = default;
};

// Where something stands in the file, for messages about it.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
};

// Properties of one direction of a link. Faults change single ones of them.
struct LinkProperties {
  Duration delay{0};     // one way
  Duration jitter{0};    // each packet's delay varies uniformly within +-jitter; order is kept
  double loss = 0;       // 0..1, independent
  uint64_t rate_bps = 0; // bits per second; 0: no limit
  uint32_t queue = 1000; // packets that wait for the rate; more are dropped at the tail
};

struct Site {
  LinkProperties uplink;  // between the site and the wide area, both directions alike
  LinkProperties lan;     // between each machine and the site's router
};

// One direction of the wide area between two sites.
struct Path {
  std::string from, to;
  LinkProperties properties;
};

enum class CarrierKind { tcp };

struct Node {
  std::string site;
  std::string name;  // "alice@home.example"; nodes with an equal host part share one machine
  std::string cookie;
  std::map<std::string, std::string> cookies;  // node (key in Scenario::nodes) -> cookie used towards it
  CarrierKind carrier = CarrierKind::tcp;
  uint16_t epmd_port = 4369;
  uint16_t listen_port = 0;  // 0: any
  Duration net_ticktime = std::chrono::seconds{60};
  uint32_t net_tickintensity = 4;
  Duration net_setuptime = std::chrono::seconds{7};
  bool prevent_overlapping_partitions = true;
  uint64_t dist_buf_busy_limit = 1024 * 1024;  // +zdbbl, bytes
  bool hidden = false;
  std::vector<std::string> removed_flags;  // distribution flags not announced: "FRAGMENTS"
  TimeRange start;                         // when its process is started
  TimeRange boot{std::chrono::milliseconds{140}, std::chrono::milliseconds{210}};  // until net_kernel runs
  bool autostart = true;  // false: only a `start` fault brings it up

  std::string host() const { return name.substr(name.find('@') + 1); }
};

// ---- workload ------------------------------------------------------------------------------------

enum class ActionKind {
  connect,          // net_adm:ping from -> to
  disconnect,       // erlang:disconnect_node
  call,             // gen_server:call({echo, to}, Payload, Timeout)
  rpc,              // rpc:call(to, distlab, echo, [Payload])
  erpc,             // erpc:call
  send,             // one-way numbered messages, which the ledger counts
  bulk,             // one message of `payload` bytes, acknowledged when it is complete
  pg_join,          // `from` joins `group`
  pg_leave,
  monitor,          // `from` monitors the echo server of `to`
  link,             // `from` links to a process at `to`
  spawn,            // spawn_request
  global_register,  // `from` registers `group` (a name)
  global_sync,      // `from` runs global:sync()
  set_cookie,       // `from` sets its cookie towards `to` (or its own, without `to`)
};

enum class Arrival { periodic, poisson };

// One action of one node (pairs, meshes, rings and random peers are expanded by the loader or by
// expand_workload). Repeats when it has a period.
struct Action {
  ActionKind kind = ActionKind::connect;
  std::string from;  // node keys
  std::string to;    // empty for actions without a peer
  TimeRange at;      // the first (or only) time
  std::optional<Duration> until;   // nothing starts at or after it
  std::optional<Duration> period;  // 1/rate or `every`
  Arrival arrival = Arrival::periodic;
  uint64_t payload = 0;            // bytes
  std::optional<Duration> timeout; // nothing: infinity
  std::string group;               // group or registered name
  std::string cookie;
  Place place;
};

// `ring:` and `random_peers:`: who is whose peer is settled per seed.
struct PeerGroup {
  enum class Shape { ring, random_peers } shape = Shape::ring;
  std::vector<std::string> nodes;
  uint32_t count = 1;  // random peers of each node
};

// An action that every node of some peer groups takes towards its peers.
struct GroupAction {
  std::vector<PeerGroup> peers;
  // True: each node takes the action towards all of its peers. False: towards one of them, chosen
  // anew for each node by the seed.
  bool all_peers = true;
  Action action;  // from and to are filled in
};

// ---- faults --------------------------------------------------------------------------------------

enum class FaultKind {
  kill, start, freeze, thaw,                               // of a node (SIGKILL, SIGSTOP, SIGCONT)
  down, up,                                                // of a link, both directions
  set_delay, set_jitter, set_loss, set_rate,               // of a link; back to the file's value when undone
  set_duplicate, set_reorder,
  black_hole,                                              // packets vanish, the link looks up
  hold, release,                                           // packets are kept and released in order: a stall
  partition, heal,
};

enum class LinkKind { access, uplink, path };  // of a node's machine, of a site, between two sites

struct LinkTarget {
  LinkKind kind = LinkKind::uplink;
  std::string a;  // node, site, or first site
  std::string b;  // second site of a path
  // Which direction: for access and uplink, outwards is away from the node or site; for a path,
  // from a to b.
  bool outwards = true, inwards = true;
};

struct Fault {
  FaultKind kind = FaultKind::kill;
  std::string id;                        // for `since:` in expectations; "" when not given
  TimeRange at;
  std::optional<TimeRange> lasts;        // undone after it
  std::string node;                      // of kill, start, freeze, thaw
  std::optional<LinkTarget> link;
  Duration duration_value{0};            // of set_delay, set_jitter
  double ratio_value = 0;                // of set_loss, set_duplicate, set_reorder
  uint64_t rate_value = 0;               // of set_rate, bit/s
  std::vector<std::vector<std::string>> groups;  // of partition: sites
  Place place;
};

// ---- expectations --------------------------------------------------------------------------------

enum class Compare { less, less_equal, equal, not_equal, greater_equal, greater };

struct Condition {
  Compare op = Compare::equal;
  double value = 0;   // durations in seconds, shares 0..1
  std::string text;   // as written: "< 150ms"
};

// Which events an expectation looks at, in time since the run began.
struct Window {
  std::optional<Duration> after, before;
  bool outside_faults = false;  // not while a fault is being done or for the tick time after it
};

// Both directions connected (node_up seen and not lost) by then.
struct ExpectConnected {
  std::vector<std::string> between;
  Duration by{0};
};

// node_up / node_down: by whom, about whom; empty means anybody.
struct NodeEvent {
  bool up = false;
  std::string at, peer;
  std::string reason;  // empty: any
};
// `never` or `eventually` (negated = never).
struct ExpectNodeEvent {
  bool never = false;
  NodeEvent event;
  Window window;
};

// How long after a fault a node saw its peer go down.
struct ExpectDetection {
  std::string at, peer, reason;
  std::string since;  // fault id; empty: the first fault
  Duration low{0}, high{0};
};

enum class Metric {
  lost_messages, duplicated_messages, reordered_messages,  // counts, of the ledger
  wedged,                                                  // seconds wedged while "up", of the ledger
  call_latency, setup_time, message_latency,               // seconds, at `quantile`
  calls,                                                   // number or share of calls with `result`
  pings,
};

struct ExpectMetric {
  Metric metric = Metric::lost_messages;
  std::vector<std::string> between;  // two nodes, unordered; empty: all
  bool one_way = false;              // only from between[0] to between[1]
  double quantile = 1;               // 1 is the maximum
  std::string result;                // "ok", "timeout", "nodedown", ...
  bool share = false;                // the condition is about a share of all, not a number
  Condition condition;
  Window window;
};

// The general case: how many events of a kind match.
struct ExpectEvent {
  std::string kind;
  std::string at;       // process; empty: any
  std::string subject;  // empty: any
  std::vector<std::pair<std::string, std::string>> fields;  // texts compared after formatting
  Condition count;
  Window window;
};

using What = std::variant<ExpectConnected, ExpectNodeEvent, ExpectDetection, ExpectMetric, ExpectEvent>;

struct Expectation {
  std::string name;  // given, or made from the text
  std::string text;  // as written, on one line
  What what;
  Place place;
};

struct Scenario {
  std::string name;
  std::string summary;
  Duration duration{0};
  bool pcap = false;
  std::map<std::string, Site> sites;
  LinkProperties default_path;
  std::vector<Path> paths;  // directions that differ from default_path
  std::map<std::string, Node> nodes;
  std::vector<Action> workload;
  std::vector<GroupAction> group_workload;
  std::vector<Fault> faults;  // in the order of the file
  std::vector<Expectation> expect;
};

// The concrete actions of a seed: the workload and the group workload with its peers settled.
std::vector<Action> expand_workload(const Scenario& scenario, uint64_t seed);

}  // namespace distlab::scenario

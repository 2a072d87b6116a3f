// A scenario as plain data: what exists, what happens, what must hold (design.md section 7).
//
// The loader makes these from YAML, with every default filled in and every reference checked: a
// name used here exists. Grounds read them and decide nothing that is not said here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "scenarios/compare.h"
#include "scenarios/relay.h"

namespace distlab::scenario {

using Duration = std::chrono::nanoseconds;

// "10s" (low == high) or "10s..14s": drawn uniformly from [low, high] for each seed, by the functions
// at the end of this file, so that every ground draws the same.
struct TimeRange {
  Duration low{0};
  Duration high{0};  // >= low
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
  Duration delay{0};      // one way
  Duration jitter{0};     // each packet's delay varies uniformly within +-jitter; order is kept; <= delay
  double loss = 0;        // 0..1, independent
  uint64_t rate_bps = 0;  // bits per second; 0: no limit
  uint32_t queue = 1000;  // packets that wait for the rate; more are dropped at the tail; >= 1
  double duplicate = 0;   // 0..1: share of packets that arrive twice
  double reorder = 0;     // 0..1: share of packets that overtake: they skip the delay

  bool operator==(const LinkProperties&) const = default;
};

struct Site {
  LinkProperties uplink;  // between the site and the wide area, both directions alike
  LinkProperties lan;     // between each machine and the site's router, both directions alike
};

// One direction of the wide area between two sites. A packet passes lan, uplink, path, uplink, lan;
// inside a site only the two lans.
struct Path {
  std::string from, to;  // different sites
  LinkProperties properties;
};

enum class CarrierKind {
  tcp,   // inet_tcp_dist through EPMD
  relay  // a tunnel through relays
};

struct Relay {
  std::string site;
  std::string host;  // of its machine, and what its certificate is for: "berlin.relay.example"
  uint16_t port = 4433;
  Certificate certificate = Certificate::valid;
  std::vector<std::string> realms;  // that it admits; empty: any
  bool validate_address = false;    // QUIC Retry
  bool keeps_reset_key = false;     // over restarts, so that its stateless resets are believed
  Parameters parameters, limits;
  TimeRange start;  // when its process is started
  TimeRange boot{Duration{std::chrono::milliseconds{500}}, Duration{std::chrono::milliseconds{500}}};
  bool autostart = true;
};

// Who plays a node. The last two are real BEAM nodes, on real hosts only.
enum class Implementation {
  native,  // ours
  beam,    // an unmodified `erl`
  macula,  // `erl -proto_dist macula`
};

struct Node {
  std::string site;
  Implementation implementation = Implementation::native;
  std::string name;  // "alice@home.example"; nodes with an equal host part share one machine
  std::string cookie;
  std::map<std::string, std::string> cookies;  // node (key in Scenario::nodes) -> cookie used towards it (set_cookie/2)
  CarrierKind carrier = CarrierKind::tcp;
  Membership membership;      // of carrier relay
  uint16_t epmd_port = 4369;  // nodes of one machine with an equal port share one EPMD
  uint16_t listen_port = 0;   // 0: any
  Duration net_ticktime = std::chrono::seconds{60};
  uint32_t net_tickintensity = 4;                    // 4..1000
  Duration net_setuptime = std::chrono::seconds{7};  // <= 120 s
  bool connect_all = true;                           // false: global keeps out (kernel's connect_all)
  bool prevent_overlapping_partitions = true;
  uint64_t dist_buf_busy_limit = 1024 * 1024;  // +zdbbl, bytes
  bool hidden = false;
  std::vector<std::string> removed_flags;  // distribution flags not announced: "FRAGMENTS"
  TimeRange start;                         // when its process is started
  // From the start of the process (each time) until net_kernel listens; measured of OTP 25
  // (facts otp-distribution.md section 6).
  TimeRange boot{std::chrono::milliseconds{140}, std::chrono::milliseconds{210}};
  bool autostart = true;  // false: only a `start` fault brings it up

  std::string host() const { return name.substr(name.find('@') + 1); }
};

// ---- workload ------------------------------------------------------------------------------------

enum class ActionKind {
  connect,     // net_adm:ping from -> to
  disconnect,  // erlang:disconnect_node
  call,        // gen_server:call({echo, to}, Payload, Timeout)
  rpc,         // rpc:call(to, distlab, echo, [Payload])
  erpc,        // erpc:call
  send,        // one-way numbered messages, which the ledger counts
  bulk,        // one message of `payload` bytes, acknowledged when it is complete; `count:` makes several actions
  pg_join,     // `from` joins `group`
  pg_leave,
  monitor,          // `from` monitors the echo server of `to`
  link,             // `from` links to a process at `to`
  spawn,            // spawn_request
  global_register,  // `from` registers `group` (a name)
  global_sync,      // `from` runs global:sync()
  set_cookie,       // `from` sets its cookie towards `to` (or its own, without `to`)
  eval,             // `from`, a BEAM, evaluates `code`
};

enum class Arrival { periodic, poisson };

// One action of one node (pairs and meshes are expanded by the loader, rings and random peers by
// expand_workload). Times count from the begin of the run. Whatever is due while the node's process
// is not running, or still boots, is left out; an action with a period goes on at its next time.
struct Action {
  ActionKind kind = ActionKind::connect;
  std::string from;                // node keys
  std::string to;                  // empty for actions without a peer
  TimeRange at;                    // the first (or only) time; drawn for each pair; exact after expand_workload
  std::optional<Duration> until;   // nothing starts at or after it; nothing: the end of the run
  std::optional<Duration> period;  // 1/rate or `every`; > 0
  Arrival arrival = Arrival::periodic;
  uint64_t payload = 0;             // bytes
  std::optional<Duration> timeout;  // of call, rpc, erpc, spawn (default 5 s), eval (60 s), bulk; nothing: infinity
  std::string group;                // group or registered name
  std::string cookie;
  std::string code;  // Erlang expressions
  size_t entry = 0;  // position in the file's workload list
  Place place;
};

// `ring:` and `random_peers:`: who is whose peer is settled per seed. In a ring each node's peer is the
// next one, and the last one's the first. Random peers of a node differ from each other, from itself
// and from its peers by earlier groups of the list; they depend on the seed, the node and the list
// alone, so that two entries with the same list have the same peers.
struct PeerGroup {
  enum class Shape { ring, random_peers } shape = Shape::ring;
  std::vector<std::string> nodes;
  uint32_t count = 1;  // random peers of each node
};

// An action that every node of some peer groups takes towards its peers.
struct GroupAction {
  std::vector<PeerGroup> peers;
  // True: each node takes the action towards all of its peers. False: towards one of them, which the
  // seed chooses for each node.
  bool all_peers = true;
  Action action;  // from and to are filled in
};

// ---- faults --------------------------------------------------------------------------------------

enum class FaultKind {
  kill,            // SIGKILL of a node's or relay's process: its machine closes its TCP connections
  start,           // of a process that is not running; it boots again
  freeze,          // SIGSTOP: the kernel of its machine goes on
  thaw,            // SIGCONT
  shutdown,        // of a relay, which says goodbye to its peers; undone: start
  wedge,           // a relay hears but no longer answers
  unwedge,         // ends it
  kill_client,     // the mesh client process of a node dies, the node lives on
  start_client,    // a new client is registered
  tunnel_message,  // something happens to one message of a tunnel
  down,            // of a link: what is queued or under way is lost, and what is offered from now on
  black_hole,      // of a link: what is offered from now on is lost; what is under way still arrives
  up,              // of a link: ends down and black_hole
  hold,            // of a link: packets are kept at its far end: a stall, nothing is lost
  release,         // of a link: those packets arrive at once, in order
  set_delay,       // of a link, to duration_value; undone: back to the file's value
  set_jitter,      // to duration_value
  set_loss,        // to ratio_value
  set_rate,        // to rate_value
  set_duplicate,   // to ratio_value
  set_reorder,     // to ratio_value
  partition,       // nothing passes between the groups; replaces an earlier partition
  heal,            // ends the partition
};

// What happens to the n-th message of a tunnel on its way into the mesh.
enum class MessageHarm { drop, duplicate, swap, replay, corrupt };
struct TunnelMessage {
  std::string from, to;  // node keys
  MessageHarm harm = MessageHarm::drop;
  uint64_t nth = 1;  // counted from when the fault is done; 1: the next one
};

enum class LinkKind { access, uplink, path };  // of a node's machine, of a site, between two sites

struct LinkTarget {
  LinkKind kind = LinkKind::uplink;
  std::string a;  // node or relay, site, or first site
  std::string b;  // second site of a path
  // Which direction: for access and uplink, outwards is away from the node or site; for a path,
  // from a to b. At least one is true.
  bool outwards = true, inwards = true;

  std::string text() const;  // "home", "home (out)", "home-office", "home -> office"
};

// Faults on the same link or node may overlap; then the latest step decides.
struct Fault {
  FaultKind kind = FaultKind::kill;
  std::string id;  // unique; "<kind>-<n>" (n-th of the file's faults, from 1) when not given
  TimeRange at;
  std::optional<TimeRange> lasts;  // undone after it; nothing: it stays
  std::string process;             // of kill to start_client: a node or a relay
  std::optional<TunnelMessage> message;
  std::optional<LinkTarget> link;
  Duration duration_value{0};                    // of set_delay, set_jitter
  double ratio_value = 0;                        // of set_loss, set_duplicate, set_reorder
  uint64_t rate_value = 0;                       // of set_rate, bit/s; 0: no limit
  std::vector<std::vector<std::string>> groups;  // of partition: sites; sites in no group are not affected
  Place place;

  // What it is done to, as recorded events name it: node, link, or "a|b c" of a partition.
  std::string subject() const;
};

// One thing to do at one time, of one seed.
struct FaultStep {
  Duration at{0};
  size_t fault = 0;  // index in Scenario::faults
  bool undo = false;
  // What to do. Of an undo: start for kill, thaw for freeze, up for down and black_hole, release for
  // hold, heal for partition; for the set_ kinds the same kind, meaning back to the file's value.
  FaultKind kind = FaultKind::kill;
};

// ---- expectations --------------------------------------------------------------------------------

enum class Compare { less, less_equal, equal, not_equal, greater_equal, greater };

struct Condition {
  Compare op = Compare::equal;
  double value = 0;     // durations in seconds, shares 0..1
  std::string text;     // as written: "< 150ms"
  std::string operand;  // without the operator: "150ms"; what text fields are compared with
};

// Which events an expectation looks at: after <= time < before. With `since`, both count from when
// that fault was done (its first step), else from the begin of the run. Things that take time (calls,
// messages) belong to the time at which they started.
struct Window {
  std::optional<Duration> after, before;
  std::string since;            // fault id
  bool outside_faults = false;  // nothing that overlaps with [fault done, undone + its tick time]; a fault
                                // that is not undone lasts to the end. Tick time: the longest of all nodes.
};

// At the time `by` (since a fault, or since the begin of the run) every pair of these nodes is
// connected as both sides see it.
struct ExpectConnected {
  std::vector<std::string> between;  // at least two
  Duration by{0};
  std::string since;
};

// node_up / node_down: by whom, about whom; empty means anybody.
struct NodeEvent {
  bool up = false;
  std::string at, peer;
  // Instead of at and peer: each ordered pair of these. `never` means none of the pairs, `eventually`
  // all of them.
  std::vector<std::string> between;
  std::string reason;  // empty: any
};
// `never` or `eventually` (negated = never).
struct ExpectNodeEvent {
  bool never = false;
  NodeEvent event;
  Window window;
};

// How long after a fault a node saw its peer go down: its first node_down about the peer after the
// fault was done comes low <= t <= high later, with this reason.
struct ExpectDetection {
  std::string at, peer;
  std::string reason;  // default net_tick_timeout
  std::string since;   // fault id; the loader fills in the first fault
  Duration low{0}, high{0};
};

enum class Metric {
  lost_messages,
  duplicated_messages,
  reordered_messages,  // counts, of the ledger
  wedged,              // seconds wedged while "up", of the ledger
  call_latency,
  setup_time,
  message_latency,  // seconds, at `quantile`; of calls: those with result ok
  calls,            // number or share of calls with `result`
  pings,            // the same of pings, with result pong or pang
};

struct ExpectMetric {
  Metric metric = Metric::lost_messages;
  std::vector<std::string> between;  // all pairs of these nodes, both ways, taken together; empty: all nodes
  bool one_way = false;              // only from between[0] to between[1], and there are just these two
  double quantile = 1;               // 1 is the maximum
  std::string result;                // "ok", "timeout", "nodedown", ...; empty: any
  bool share = false;                // the condition is about a share of all, not a number
  Condition condition;
  Window window;
};

// The general case: how many events of a kind match.
struct ExpectEvent {
  std::string kind;
  std::string at;       // process; empty: any
  std::string subject;  // empty: any
  // Name and condition: "reason" "disconnect", "elapsed_ns" ">= 2s". Text fields are compared as text
  // (equal, not equal), numbers as numbers; a field whose name ends in _ns is a duration.
  std::vector<std::pair<std::string, Condition>> fields;
  Condition count;
  Window window;
};

using What = std::variant<ExpectConnected, ExpectNodeEvent, ExpectDetection, ExpectMetric, ExpectEvent>;

struct Expectation {
  std::string name;  // given, or made from the text
  std::string text;  // as written, on one line: "never: {node_down: [alice, bob]}"
  What what;
  Place place;
};

struct Scenario {
  std::string name;
  std::string summary;
  Duration duration{0};
  std::vector<std::string> pcap;  // nodes and relays whose machine's packets are captured
  std::map<std::string, Site> sites;
  LinkProperties default_path;
  std::vector<Path> paths;  // directions that differ from default_path
  std::map<std::string, Relay> relays;
  std::map<std::string, Node> nodes;  // no relay has the same key
  std::vector<Action> workload;
  std::vector<GroupAction> group_workload;
  std::vector<Fault> faults;  // in the order of the file
  std::vector<Expectation> expect;
  Margins compare;  // defaults filled in
};

std::string_view to_string(ActionKind kind);  // as in the file: "pg_join"
std::string_view to_string(Implementation implementation);
std::string_view to_string(FaultKind kind);
std::string_view to_string(MessageHarm harm);

// Of the machine a node or a relay (key) runs on.
const std::string& site_of(const Scenario& scenario, const std::string& process);
std::string host_of(const Scenario& scenario, const std::string& process);

// ---- what a seed decides -------------------------------------------------------------------------
// All draws come from SplitMix64 over a hash of the seed and the name of what is drawn (expand.cc),
// never from a shared stream: one more draw does not move another.

// The concrete actions of a seed, in the order of the file: the workload and the group workload, with
// peers settled and times drawn.
std::vector<Action> expand_workload(const Scenario& scenario, uint64_t seed);
// The faults of a seed with their undoing, in order of time; ties in the order of the file.
std::vector<FaultStep> expand_faults(const Scenario& scenario, uint64_t seed);
// What a step of a fault does to the properties of a link's direction, and undoes; the file says `original`.
// False: the step is of a kind that changes no property.
bool change_property(const FaultStep& step, const Fault& fault, const LinkProperties& original, LinkProperties& now);
// When the process of a node or a relay (key) starts, unless it has no autostart.
Duration start_time(const Scenario& scenario, const std::string& process, uint64_t seed);
// How long it boots the n-th time its process starts (from 0).
Duration boot_time(const Scenario& scenario, const std::string& process, uint64_t seed, uint32_t life);

}  // namespace distlab::scenario

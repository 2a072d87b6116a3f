// net_kernel: who this node is connected to, who is being connected, and the ticker.
//
// Source: net_kernel.erl of OTP 25.2.3. Each connection, from the dial or the accepted stream on,
// is run by a Connection (connection.h), as OTP runs it in a process of its own; NetKernel answers
// their questions (accept_pending, is_pending, wait_pending, nodeup) and keeps the table sys_dist.
//
// Records (models/host/event_kinds.h), with the peer as subject: node_up, node_down,
// connect_started, connect_failed, handshake_step, tick, busy_dist_port, log.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "models/carrier/carrier.h"
#include "models/dist/flags.h"
#include "models/dist/handshake.h"
#include "models/host/host.h"
#include "models/node/cookies.h"
#include "models/process/distribution.h"

namespace distlab::node {

class Connection;

// kernel's dist_auto_connect.
enum class AutoConnect {
  always,  // unset: sending to a node connects to it
  once,    // not again after a connection to it went down, until somebody connects explicitly
  never,
};

struct NetKernelConfig {
  std::string name = {};  // "a@hosta.test"
  std::string cookie = "nocookie";
  std::map<std::string, std::string, std::less<>> peer_cookies = {};
  Duration net_ticktime = std::chrono::seconds{60};  // rounded up to milliseconds, multiples of the intensity
  uint32_t net_tickintensity = 4;                    // 4..1000; what lies outside is moved in
  Duration net_setuptime = std::chrono::seconds{7};  // at most 120 s
  bool hidden = false;
  dist::Flags dropped_flags = 0;  // left out of what we announce
  dist::Flags mandatory_flags = dist::mandatory_25;
  size_t dist_buf_busy_limit = 1024 * 1024;  // +zdbbl, in bytes
  AutoConnect auto_connect = AutoConnect::always;
  std::set<std::string, std::less<>> allowed = {};  // net_kernel:allow/1; empty: everybody
  size_t max_connections = 65536;                   // connections and attempts at once (+Q of OTP: ports)
};

enum class PeerState { none, pending, up, up_pending };

class NetKernel final : public process::Distribution {
 public:
  // Both must outlive it.
  NetKernel(Host& host, carrier::Carrier& carrier, NetKernelConfig config);
  // The connections end without a word, as when the process dies.
  ~NetKernel() override;
  NetKernel(const NetKernel&) = delete;
  NetKernel& operator=(const NetKernel&) = delete;

  // Until it is set, and when it is null, what peers send is dropped. Must outlive the NetKernel
  // or be taken away.
  void set_listener(process::DistributionListener* listener) { listener_ = listener; }

  // Listens and registers; the ticker starts when that is done, and peers are accepted from then
  // on. On failure nothing runs.
  using Started = std::function<void(tl::expected<void, NetError>)>;
  void start(Started done);
  bool started() const { return started_; }

  // process::Distribution. Before start() succeeded nothing is sent and nobody is connected.
  // disconnect() takes effect with the next event, like an exit signal to the connection.
  const std::string& self() const override { return config_.name; }
  uint32_t creation() const override { return creation_; }
  process::SendResult send(const std::string& peer, dist::Message message) override;
  void connect(const std::string& peer, std::function<void(bool)> done) override;
  void disconnect(const std::string& peer) override;
  bool connected(const std::string& peer) const override;
  std::vector<std::string> visible_nodes() const override;
  uint64_t flags(const std::string& peer) const override;

  std::vector<std::string> hidden_nodes() const;  // nodes(hidden), sorted
  PeerState state(const std::string& peer) const;
  Cookies& cookies() { return cookies_; }
  Duration tick_interval() const { return tick_interval_; }

 private:
  friend class Connection;

  // A row of sys_dist, with what the run-time system keeps in its DistEntry.
  struct Row {
    PeerState state = PeerState::pending;
    Connection* owner = nullptr;
    Connection* pending_owner = nullptr;  // state up_pending: who waits for the old one to die
    bool visible = true;
    std::vector<std::function<void(bool)>> waiting;
    std::deque<dist::Message> queue;  // sent while pending
    size_t queued_bytes = 0;
    std::optional<Time> dialled;             // when our own attempt began
    std::optional<uint32_t> given_creation;  // the name was given by us (NAME_ME)
  };
  using Rows = std::map<std::string, Row>;

  // What connections ask and tell, as messages to the process net_kernel.
  dist::Pending accept_pending(Connection& asking, const std::string& peer, bool visible);
  std::string accept_named(Connection& asking, const std::string& host_name, bool visible, uint32_t& creation);
  bool is_pending(const Connection& asking, const std::string& peer) const;
  void wait_pending(Connection& asking, const std::string& peer);
  void node_up(Connection& connection);
  void announce(Connection& connection);  // to the listener, after the queued ticks
  void exited(Connection& connection, std::string_view reason);
  void deliver(Connection& connection, dist::Message message);
  void resumed(const std::string& peer);
  void discard(Connection& connection);
  void log(const std::string& peer, std::string_view level, std::string text);

  Row* find(const std::string& peer);
  const Row* find(const std::string& peer) const;
  bool full() const { return connections_.size() >= config_.max_connections; }
  Row* setup(const std::string& peer);
  void accept(std::unique_ptr<ByteStream> stream);
  void tick();
  void post(std::function<void()> fn);
  void answer(const std::vector<std::function<void(bool)>>& waiting, bool connected);
  void pending_down(Rows::iterator row, std::string_view reason);
  void up_down(Rows::iterator row, std::string_view reason);
  void up_pending_down(Rows::iterator row, std::string_view reason);
  void release_name(const std::string& peer, const Row& row);
  uint32_t challenge();
  dist::Flags announced_flags() const;
  bool allowed(std::string_view peer) const;

  Host& host_;
  carrier::Carrier& carrier_;
  NetKernelConfig config_;
  Cookies cookies_;
  Duration tick_interval_;
  process::DistributionListener* listener_ = nullptr;
  bool started_ = false;
  uint32_t creation_ = 0;
  Rows rows_;
  std::set<std::string> barred_;                                                     // AutoConnect::once
  std::map<std::string, std::vector<std::pair<std::string, uint32_t>>> free_names_;  // by host name
  uint64_t next_connection_ = 1;
  std::map<uint64_t, std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> ended_;  // until none of their handlers can be running
  Timer ticker_;
  Timer reaper_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);  // what post() looks at
};

}  // namespace distlab::node

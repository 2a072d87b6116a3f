// One OTP node: its carrier, its net_kernel, and its processes with the servers every node runs.
//
// A Node is one life of one operating-system process. Destroying it is the process dying without a
// word: its host closes its streams, and timers and lookups are dropped.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "models/carrier/carrier.h"
#include "models/carrier/tcp_carrier.h"
#include "models/host/host.h"
#include "models/node/net_kernel.h"
#include "models/process/runtime.h"
#include "models/process/services.h"

namespace distlab::node {

// Makes the node's carrier; nothing: inet_tcp_dist (carrier::TcpCarrier) with the options beside it.
using CarrierFactory = std::function<std::unique_ptr<carrier::Carrier>(Host&)>;

struct NodeConfig {
  NetKernelConfig net_kernel = {};        // name, cookies, ticks, set-up time, flags, ...
  process::ServiceOptions services = {};  // pg, global, prevent_overlapping_partitions
  process::Limits limits = {};
  carrier::TcpOptions tcp = {};
  CarrierFactory carrier = {};
};

class Node {
 public:
  // The host must outlive the node. Starts at once.
  // `started` is told once, from the host's loop, whether the node is reachable under its name;
  // from then on runtime() and services() are there. On failure the node stays inert: OTP's
  // process would exit with status 1.
  using Started = std::function<void(tl::expected<void, NetError>)>;
  Node(Host& host, NodeConfig config, Started started = {});
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const std::string& name() const { return net_kernel_.self(); }
  bool running() const { return runtime_ != nullptr; }
  NetKernel& net_kernel() { return net_kernel_; }
  process::Runtime& runtime();    // only while running()
  process::Services& services();  // only while running()

  // net_kernel:connect_node/1 and erlang:disconnect_node/1.
  void connect(const std::string& peer, std::function<void(bool)> done = {});
  void disconnect(const std::string& peer) { net_kernel_.disconnect(peer); }

  enum class Ping { pong, pang };
  // net_adm:ping/1: asks the peer's net_kernel with {is_auth, Node}, connecting if need be.
  // `done` is told once, from the host's loop, unless the node is destroyed before.
  using Pinged = std::function<void(Ping result, Duration elapsed)>;
  void ping(const std::string& peer, Pinged done);

  std::vector<std::string> nodes() const { return net_kernel_.visible_nodes(); }
  // erlang:set_cookie/1 and /2; an empty peer means our own.
  void set_cookie(const std::string& peer, std::string cookie);

 private:
  void listening(tl::expected<void, NetError> outcome);

  Host& host_;
  NodeConfig config_;
  Started started_;
  std::unique_ptr<carrier::Carrier> carrier_;
  NetKernel net_kernel_;
  Timer start_;
  std::unique_ptr<process::Runtime> runtime_;
  std::unique_ptr<process::Services> services_;
};

}  // namespace distlab::node

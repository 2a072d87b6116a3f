// What the processes of a node see of the distribution. Implemented by node::NetKernel.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "models/dist/control.h"

namespace distlab::process {

enum class SendResult {
  sent,     // queued on the connection, or behind a connection being set up
  busy,     // queued, and the sending process is now suspended until on_resume (busy_dist_port)
  dropped,  // no connection and none may be made
};

// Told by the distribution. All calls come from the host's loop.
class DistributionListener {
 public:
  virtual ~DistributionListener() = default;
  virtual void on_message(const std::string& peer, dist::Message message) = 0;
  virtual void on_node_up(const std::string& peer, bool visible) = 0;
  // Everything queued towards the peer is lost. Reason as net_kernel:monitor_nodes gives it with
  // nodedown_reason: connection_closed, disconnect, net_tick_timeout, ...
  virtual void on_node_down(const std::string& peer, std::string_view reason) = 0;
  // A connection that processes wait behind could not be set up: as a node_down without node_up.
  virtual void on_connect_failed(const std::string& peer) = 0;
  virtual void on_resume(const std::string& peer) = 0;
};

class Distribution {
 public:
  virtual ~Distribution() = default;
  virtual const std::string& self() const = 0;  // this node's name
  virtual uint32_t creation() const = 0;

  // Sends to the peer, connecting on demand (dist_auto_connect). Messages to one peer keep their
  // order.
  virtual SendResult send(const std::string& peer, dist::Message message) = 0;

  // net_kernel:connect_node/1. `done` gets whether the node is connected; never called from inside.
  virtual void connect(const std::string& peer, std::function<void(bool)> done) = 0;
  virtual void disconnect(const std::string& peer) = 0;  // erlang:disconnect_node/1
  virtual bool connected(const std::string& peer) const = 0;
  virtual std::vector<std::string> visible_nodes() const = 0;  // nodes(), sorted
  // The flags agreed with a connected peer (0 if none).
  virtual uint64_t flags(const std::string& peer) const = 0;
};

}  // namespace distlab::process

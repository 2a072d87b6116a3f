// A TCP connection of a simulated process: ns-3's TCP behind our ByteStream.
#pragma once

#include <memory>

#include <ns3/ptr.h>
#include <ns3/tcp-socket.h>

#include "models/host/byte_stream.h"
#include "sim/traffic.h"

namespace distlab::sim {

class Ns3Host;

class Ns3Stream final : public ByteStream {
 public:
  // Dials. The socket belongs to the node of the host.
  Ns3Stream(Ns3Host& host, Endpoint remote, StreamHandler& handler);
  // Takes over an accepted socket.
  Ns3Stream(Ns3Host& host, const ns3::Ptr<ns3::Socket>& accepted);
  ~Ns3Stream() override;
  Ns3Stream(const Ns3Stream&) = delete;
  Ns3Stream& operator=(const Ns3Stream&) = delete;

  void set_handler(StreamHandler& handler) override;
  size_t write(Bytes data) override;
  void set_reading(bool on) override;
  void set_nodelay(bool on) override;
  void close() override;
  void abort() override;
  Endpoint local() const override;
  Endpoint remote() const override;

 private:
  struct Link;  // outlives this object inside ns-3's callbacks and in scheduled calls
  void attach();
  void wake();  // tell the handler what is new, from the event loop
  void deliver();
  bool deliver_data();
  void log(TrafficLog::Step::Kind kind, uint32_t bytes);

  Ns3Host& host_;
  std::shared_ptr<Link> link_;
  ns3::Ptr<ns3::Socket> socket_;
  StreamHandler* handler_ = nullptr;
  bool connected_ = false;
  bool tell_connected_ = false;
  bool reading_ = true;
  bool write_blocked_ = false;
  bool ended_ = false;  // the connection is over; data may be left to deliver
  bool told_end_ = false;
  bool wake_pending_ = false;
  NetError why_ = NetError::closed;
  Endpoint logged_local_, logged_remote_;
};

}  // namespace distlab::sim

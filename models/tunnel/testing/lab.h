// Two or more hosts with relay carriers on one broker, and what stands at their ends of a tunnel in the
// place of dist_util: frames with a length of four bytes, written and read.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/host/test_host.h"
#include "models/mesh/client.h"
#include "models/tunnel/message_faults.h"
#include "models/tunnel/relay_carrier.h"
#include "models/tunnel/settings.h"
#include "models/tunnel/testing/broker.h"

namespace distlab::tunnel::testing {

// The dist_util side of a tunnel.
class DistEnd final : private StreamHandler {
 public:
  DistEnd(TestHost& host, std::unique_ptr<ByteStream> stream);

  void send(std::string_view text);  // one frame
  void write(Bytes bytes);           // as they are
  ByteStream& stream() { return *stream_; }
  void close() { stream_->close(); }

  std::vector<std::string> frames;  // whole ones that arrived
  std::vector<Time> times;          // and when
  std::vector<uint8_t> rest;        // of a frame that is not whole
  std::optional<NetError> closed;
  Time closed_at{};
  size_t unsent() const { return unsent_.size(); }

 private:
  void on_data(Bytes data) override;
  void on_writable() override;
  void on_closed(NetError why) override;

  TestHost& host_;
  std::unique_ptr<ByteStream> stream_;
  std::vector<uint8_t> unsent_;
};

// A node as far as this room goes.
class Station {
 public:
  // Takes part in the mesh from the start.
  Station(Broker& broker, TestHost& host, TunnelSettings settings, std::string cookie = "c");
  ~Station();

  void kill_client();      // the slot is told first
  void register_client();  // a new one
  void take(std::unique_ptr<ByteStream> stream) { ends.push_back(std::make_unique<DistEnd>(host, std::move(stream))); }

  Broker& broker;
  TestHost& host;
  const std::string name;                      // "a@host_a"
  std::map<std::string, std::string> cookies;  // by peer, beside our own
  std::string cookie;
  mesh::ClientSlot slot;
  std::unique_ptr<TestClient> client;
  MessageFaults faults;
  std::unique_ptr<RelayCarrier> carrier;
  std::vector<std::unique_ptr<DistEnd>> ends;  // of accepted and dialled tunnels
};

class Lab {
 public:
  explicit Lab(TunnelSettings settings = documented(), uint64_t seed = 1);

  struct Dialled {
    std::unique_ptr<carrier::Dial> dial;
    std::optional<carrier::DialError> error;
    DistEnd* end = nullptr;  // null: not connected (yet)
    int told = 0;
  };
  // The outcome may come later.
  std::shared_ptr<Dialled> dial(Station& from, const std::string& peer);
  // a and b, with reading on at both ends; runs until they are connected, and a little longer.
  void connect();

  // Fields of events, in order: "field=value field=value".
  std::vector<std::string> events(const Station& station, std::string_view kind) const;
  // The values of one field.
  std::vector<std::string> values(const Station& station, std::string_view kind, std::string_view key) const;

  TestWorld world;
  Broker broker;
  Station a, b;
  DistEnd& dist_a() { return *a.ends.at(0); }
  DistEnd& dist_b() { return *b.ends.at(0); }
};

}  // namespace distlab::tunnel::testing

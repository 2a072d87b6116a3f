// Carrier: how the bytes of the distribution protocol travel between two nodes.
//
// A carrier stands where an OTP `-proto_dist` module stands (inet_tcp_dist and friends): it makes
// this node reachable, dials others, and hands over byte streams. It knows nothing of the
// handshake, which net_kernel's connection processes run on the streams.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "models/host/byte_stream.h"
#include "models/host/time.h"

namespace distlab::carrier {

// A dial in progress. Destroying it gives up silently.
class Dial {
 public:
  virtual ~Dial() = default;
};

struct DialError {
  NetError error;
  std::string step;  // where it failed: "address", "epmd", "connect", ...
};

class Carrier {
 public:
  virtual ~Carrier() = default;

  // A stream arrived from some peer, connected, reading off, and without a handler yet.
  using Accepted = std::function<void(std::unique_ptr<ByteStream>)>;
  // Reachable now under `node_name`; the value is this incarnation's creation.
  using Listening = std::function<void(tl::expected<uint32_t, NetError>)>;
  virtual void listen(const std::string& node_name, Accepted accepted, Listening done) = 0;

  // Starts dialling. `progress` is called wherever the OTP carrier calls dist_util:reset_timer/1
  // during set-up. `done` is called once, never from inside dial(); its stream is connected, with
  // reading off and no handler.
  using Dialled = std::function<void(tl::expected<std::unique_ptr<ByteStream>, DialError>)>;
  virtual std::unique_ptr<Dial> dial(const std::string& node_name, std::function<void()> progress, Dialled done) = 0;
};

}  // namespace distlab::carrier

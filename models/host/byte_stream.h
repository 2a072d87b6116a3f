// A reliable, ordered byte stream with back-pressure: TCP, or whatever a carrier offers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "models/host/endpoint.h"

namespace distlab {

using Bytes = std::span<const uint8_t>;

// Why a stream or a dial ended, in POSIX terms.
enum class NetError {
  closed,          // orderly end: FIN after all data
  reset,           // RST, or the peer's process is gone with data unread
  refused,         // nobody listens there
  timed_out,       // retransmissions gave up (ETIMEDOUT)
  unreachable,     // no route
  not_found,       // name lookup: no such host
  lookup_failed,   // name lookup: no answer
  address_in_use,  // listen: the port is taken
  limit,           // a resource limit of this host
};

std::string_view to_string(NetError error);  // Erlang's name for it: "econnrefused", "etimedout", ...

// Callbacks come from the host's event loop only, never from inside a call on the stream, and
// never after the stream object is destroyed. After on_closed there are no more callbacks.
class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  virtual void on_connected() {}  // dialled streams only; accepted ones are connected at birth
  virtual void on_data(Bytes data) = 0;
  virtual void on_writable() {}  // after write() took less than it was given
  virtual void on_closed(NetError why) = 0;
};

class ByteStream {
 public:
  // Destroying an open stream closes it as close() does. A killed process resets or finishes its
  // streams as its kernel would.
  virtual ~ByteStream() = default;
  virtual void set_handler(StreamHandler& handler) = 0;
  // Takes as much as fits into the send buffer and returns that count; if it is less than
  // data.size(), on_writable follows once there is room again.
  virtual size_t write(Bytes data) = 0;
  // While off, incoming bytes stay in the receive buffer and the peer meets back-pressure.
  // Streams start with reading on.
  virtual void set_reading(bool on) = 0;
  // TCP_NODELAY, which is on at first. Off, less than a segment waits while anything is not acknowledged (Nagle's
  // algorithm, RFC 896). Streams that have no acknowledgements, and TestHost's, know no difference.
  virtual void set_nodelay(bool /*on*/) {}
  virtual void close() = 0;  // FIN after what was written; no further callbacks
  virtual void abort() = 0;  // RST; no further callbacks
  virtual Endpoint local() const = 0;
  virtual Endpoint remote() const = 0;
};

}  // namespace distlab

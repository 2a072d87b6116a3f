// The reader of a bridge: the process that takes bytes from distribution and publishes them, one message
// for each receive, and that blocks while it sleeps (macula_dist_bridge:bridge_reader_loop/6).
//
// Source: facts relay-distribution.md section 1.4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/host/host.h"
#include "models/tunnel/settings.h"

namespace distlab::tunnel {

class Reader {
 public:
  // What the reader asks of its bridge. None of these may destroy it.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual size_t client_mailbox() const = 0;
    virtual void publish(Bytes chunk) = 0;  // the client is alive
    virtual void lost(size_t bytes, std::string_view reason) = 0;
    virtual void reader_ended(std::string_view reason) = 0;
  };

  // Does nothing before start(). The socket must outlive it, with its handler passing on what concerns
  // the reader.
  Reader(Host& host, const TunnelSettings& settings, ByteStream& socket, Owner& owner);

  // A reader for this client: the first one, or one in place of another, which is killed.
  void start();
  void client_died();  // the one it was started for

  void on_data(Bytes data);
  // The socket's end. False: the reader sleeps, and will notice later.
  bool on_closed();

  bool started() const { return state_ != State::none; }
  size_t in_hand() const { return state_ == State::none || state_ == State::receiving ? 0 : chunk_.size(); }
  void stop();  // does nothing more

 private:
  enum class State {
    none,
    receiving,  // in recv/3
    pausing,    // for a client whose mailbox is long
    retrying,   // for a client that is dead
    waiting,    // for another client
  };

  void receive();
  void hold(Bytes data, State state);
  void offer(Bytes data);
  void retry();
  void end(std::string_view reason);

  const TunnelSettings& settings_;
  ByteStream& socket_;
  Owner& owner_;
  State state_ = State::none;
  bool client_alive_ = false;
  bool closed_ = false;  // the socket; seen with the next receive
  uint64_t tries_ = 0;
  std::vector<uint8_t> chunk_;  // in hand, unless receiving
  Timer sleep_;                 // or the receive's timeout
};

}  // namespace distlab::tunnel

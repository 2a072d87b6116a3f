#include "models/tunnel/reader.h"

#include <utility>

namespace distlab::tunnel {

Reader::Reader(Host& host, const TunnelSettings& settings, ByteStream& socket, Owner& owner)
    : settings_(settings), socket_(socket), owner_(owner), sleep_(host) {}

void Reader::start() {
  const State before = std::exchange(state_, State::none);
  sleep_.cancel();
  client_alive_ = true;
  switch (before) {
    case State::none:
      return receive();
    case State::receiving:
      // The killed process has a receive under way in the driver, and there can be only one.
      if (settings_.recv_outlives_reader) return end("ealready");
      return receive();
    case State::waiting:
      owner_.publish(chunk_);
      return receive();
    case State::pausing:
    case State::retrying:
      owner_.lost(chunk_.size(), "reader_killed");
      return receive();
  }
}

void Reader::client_died() {
  client_alive_ = false;
}

void Reader::stop() {
  state_ = State::none;
  sleep_.cancel();
  socket_.set_reading(false);
}

void Reader::receive() {
  state_ = State::receiving;
  if (closed_) return end("closed");
  socket_.set_reading(true);
  if (settings_.recv_timeout_fatal) {
    sleep_.start(settings_.bridge_recv_timeout, [this] { end("timeout"); });
  }
}

void Reader::on_data(Bytes data) {
  if (owner_.client_mailbox() > settings_.backpressure_hwm) {
    hold(data, State::pausing);
    sleep_.start(settings_.backpressure_pause, [this] { offer(chunk_); });
    return;
  }
  offer(data);
}

// The socket is left alone until this chunk is out of our hands.
void Reader::hold(Bytes data, State state) {
  state_ = state;
  if (data.data() != chunk_.data()) chunk_.assign(data.begin(), data.end());
  socket_.set_reading(false);
}

void Reader::offer(Bytes data) {
  if (client_alive_) {
    owner_.publish(data);
    return receive();
  }
  if (!settings_.reader_runs_while_reconnecting) return hold(data, State::waiting);
  hold(data, State::retrying);
  tries_ = 0;
  retry();
}

// macula_dist_bridge:publish_with_retry/4. Its client is dead, and stays so: another one comes with
// another reader.
void Reader::retry() {
  if (tries_ == settings_.publish_retries) {
    owner_.lost(chunk_.size(), "publish_retries");
    return receive();
  }
  ++tries_;
  sleep_.start(settings_.publish_retry_interval, [this] { retry(); });
}

bool Reader::on_closed() {
  closed_ = true;
  if (state_ != State::receiving) return false;
  end("closed");
  return true;
}

void Reader::end(std::string_view reason) {
  stop();
  owner_.reader_ended(reason);
}

}  // namespace distlab::tunnel

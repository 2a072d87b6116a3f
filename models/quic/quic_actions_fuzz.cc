// Two sides doing anything to each other in any order, over a network that loses packets: what one
// wrote on a stream, the other reads from its beginning, whole if it was finished, and nothing else.
//
// Input: two bytes per action: what and who; how much.
#include <algorithm>
#include <cstdlib>
#include <set>

#include "models/quic/testing/peers.h"

namespace {

using namespace distlab;
using namespace std::chrono_literals;
using quic::StreamId;
using quic::testing::Pair;
using quic::testing::Peer;

constexpr size_t most_streams = 8, most_actions = 200;

void require(bool condition) {
  if (!condition) std::abort();
}

// One side, and what it has written and not taken back.
struct Actor {
  Peer* peer = nullptr;
  std::map<StreamId, std::string> written;
  std::set<StreamId> opened, finished, reset;
  bool gone = false;
};

char letter(size_t position) {
  return static_cast<char>('a' + position % 251 % 26);
}

class Play {
 public:
  Play() {
    pair_.client_settings.transport.send_buffer = 30'000;
    pair_.client_settings.transport.stream_window = 20'000;
    pair_.server_settings.transport.connection_window = 50'000;
    pair_.server_settings.transport.max_bidi_streams = most_streams;
    require(pair_.connect());
    actors_[0].peer = &pair_.client;
    actors_[1].peer = &pair_.server();
    const UdpHook hook = [this](Endpoint, Endpoint, Bytes) -> std::optional<Duration> {
      if (loss_ != 0 && ++packets_ % (loss_ + 2) == 0) return std::nullopt;
      return Duration{0};
    };
    pair_.world.set_udp_hook(quic::testing::client_address, quic::testing::server_address, hook);
    pair_.world.set_udp_hook(quic::testing::server_address, quic::testing::client_address, hook);
  }

  void act(uint8_t what, uint8_t amount) {
    Actor& actor = actors_[what >> 7];
    if (actor.gone) return;
    if (what % 16 == 0) return open(actor);
    if (what % 16 == 1) return pair_.world.run_for(amount * 1ms);
    if (what % 16 == 2) return (void)actor.peer->connection->send_datagram(quic::testing::bytes_of("datagram"));
    if (what % 16 == 3) return (void)actor.peer->connection->migrate();
    if (what % 16 == 4) return set_loss(amount);
    if (what == 5 || what == 5 + 128) return leave(actor, amount);
    if (streams_.empty()) return;
    on_stream(actor, streams_[(what >> 4) % streams_.size()], what % 16, amount);
  }

  void end() {
    loss_ = 0;
    for (Actor& actor : actors_) {
      for (const StreamId stream : streams_) {
        if (!actor.gone) actor.peer->connection->set_reading(stream, true);
      }
    }
    pair_.world.run_for(3min);
    check(actors_[0], actors_[1]);
    check(actors_[1], actors_[0]);
  }

 private:
  void open(Actor& actor) {
    if (streams_.size() == 2 * most_streams) return;
    if (const auto stream = actor.peer->connection->open_stream()) {
      streams_.push_back(*stream);
      actor.opened.insert(*stream);
    }
  }
  void set_loss(uint8_t amount) { loss_ = amount; }
  void leave(Actor& actor, uint8_t amount) {
    actor.gone = true;
    if (amount % 2 == 0) actor.peer->connection->close(amount, "leaving");
    actor.peer->connection.reset();
  }
  void on_stream(Actor& actor, StreamId stream, int what, uint8_t amount) {
    quic::Connection& connection = *actor.peer->connection;
    const auto& heard_of = actor.peer->opened;
    if (!actor.opened.contains(stream) && std::count(heard_of.begin(), heard_of.end(), stream) == 0) return;
    if (what == 6) {
      connection.finish(stream);
      actor.finished.insert(stream);
    } else if (what == 7) {
      connection.reset(stream, amount);
      actor.reset.insert(stream);
    } else if (what == 8) {
      connection.set_reading(stream, amount % 2 == 0);
    } else {
      std::string& written = actor.written[stream];
      std::string more(size_t{amount} * amount, ' ');
      for (size_t i = 0; i < more.size(); ++i) more[i] = letter(written.size() + i);
      written += more.substr(0, connection.write(stream, quic::testing::bytes_of(more)));
    }
  }
  void check(Actor& writer, Actor& reader) {
    for (const auto& [stream, received] : reader.peer->received) {
      const std::string& written = writer.written[stream];
      require(received.size() <= written.size() && written.compare(0, received.size(), received) == 0);
      if (reader.peer->finished[stream]) require(received.size() == written.size());
    }
    if (writer.gone || reader.gone || writer.peer->end || reader.peer->end) return;
    for (const StreamId stream : writer.finished) {
      if (writer.reset.contains(stream) || reader.reset.contains(stream)) continue;
      require(reader.peer->finished[stream]);
    }
  }

  Pair pair_;
  std::array<Actor, 2> actors_;
  std::vector<StreamId> streams_;
  uint64_t packets_ = 0;
  uint8_t loss_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Play play;
  for (size_t i = 0; i + 2 <= size && i < 2 * most_actions; i += 2) play.act(data[i], data[i + 1]);
  play.end();
  return 0;
}

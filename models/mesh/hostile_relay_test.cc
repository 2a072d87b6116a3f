// A client against relays that are none of ours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/mesh/message.h"
#include "models/mesh/testing/mesh_world.h"
#include "models/quic/testing/peers.h"

namespace distlab::mesh {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::MeshWorld;
using ::testing::StartsWith;

// Speaks QUIC as berlin and says what it is told to, on the client's stream, once that is open.
class FalseRelay {
 public:
  FalseRelay(MeshWorld& mesh, std::vector<Frame> frames) : frames_(std::move(frames)) {
    socket_ = quic::Socket::open(mesh.relay_host, {any_address, 4433}).value();
    quic::ServerSettings settings;
    settings.alpn = "macula";
    settings.credentials = mesh.relay_settings.credentials;
    socket_->listen(settings, [this](auto connection) {
      peers_.push_back(std::make_unique<quic::testing::Peer>());
      auto& peer = *peers_.back();
      peer.connection = std::move(connection);
      peer.connection->set_handler(peer);
      peer.on_data = [this, &peer](quic::StreamId stream, Bytes, bool) {
        for (const Frame& frame : std::exchange(frames_, {})) peer.connection->write(stream, frame.bytes());
      };
    });
  }
  std::vector<std::unique_ptr<quic::testing::Peer>>& peers() { return peers_; }

 private:
  std::vector<Frame> frames_;
  std::unique_ptr<quic::Socket> socket_;
  std::vector<std::unique_ptr<quic::testing::Peer>> peers_;
};

// What makes no sense ends the session, or the attempt to get one, with a reason; the client goes on.
TEST(HostileRelay, NonsenseEndsTheSession) {
  const Frame welcome = encode(Welcome{"berlin", 1});
  const std::vector<std::pair<std::vector<Frame>, std::string>> cases = {
      {{seal(begin_frame(FrameType::welcome, 0))}, "malformed: body"},
      {{encode(Subscribe{"x"})}, "unexpected: only a client says this"},
      {{welcome, welcome}, "unexpected: second WELCOME"},
      {{welcome, seal(begin_frame(FrameType::publish, 0))}, "malformed: body"},
      {{welcome, seal(begin_frame(FrameType(0x99), 0))}, "malformed: type"},
      {{welcome, encode(Connect{"r", "i"})}, "unexpected: only a client says this"},
      {{encode(Disconnect{"go away \x01"})}, "disconnect: go away \x01"},
  };
  for (const auto& [frames, reason] : cases) {
    MeshWorld mesh;
    mesh.client_settings = macula_3_13(mesh.client_settings).client;
    FalseRelay relay(mesh, frames);
    RelayClient& client = mesh.add_client("a");
    mesh.world.run_for(500ms);
    const bool was_up = mesh.first("a", kinds::mesh_up).has_value();
    EXPECT_THAT(mesh.told("a", was_up ? kinds::mesh_down : kinds::mesh_failed, "reason"),
                ElementsAre("berlin: " + reason));
    EXPECT_TRUE(client.alive());
    EXPECT_FALSE(client.connected());
    mesh.world.run_for(5s);
    EXPECT_GE(relay.peers().size(), 2u);  // it has dialled again
    mesh.clients.clear();
  }
}

// Frames without meaning for this client are harmless: answers nobody waits for, PONGs, calls, payloads,
// errors without end.
TEST(HostileRelay, IdleTalkIsHarmless) {
  MeshWorld mesh;
  mesh.client_settings = macula_3_13(mesh.client_settings).client;
  std::vector<Frame> frames = {
      encode(Welcome{"berlin", 1}),        encode(Reply{7, Json(1)}),          encode(Pong{99}),
      encode(Call{1, "unknown", nullptr}), encode(Publish{"unknown", {}, {}}), encode(Ping{5})};
  for (int i = 0; i < 500; ++i) frames.push_back(encode(Error{std::string(1000, 'x'), "\xc3\xb8"}));
  FalseRelay relay(mesh, frames);
  RelayClient& client = mesh.add_client("a");
  mesh.world.run_for(1s);
  EXPECT_TRUE(client.connected());
  EXPECT_EQ(client.stats().errors, 500u);
  EXPECT_EQ(client.stats().delivered, 1u);
  const auto logs = mesh.told("a", kinds::log, "text");
  EXPECT_LE(logs.size(), 20u);
  for (const auto& text : logs) EXPECT_LT(text.size(), 600u);
  mesh.clients.clear();
}

// A relay that accepts the connection and says nothing is given up after the connect timeout.
TEST(HostileRelay, SilenceIsATimeout) {
  MeshWorld mesh;
  FalseRelay relay(mesh, {});
  mesh.add_client("a");
  mesh.world.run_for(10s + 1ms);
  EXPECT_THAT(mesh.told("a", kinds::mesh_failed, "reason"), ElementsAre("berlin: timeout"));
  mesh.clients.clear();
}

}  // namespace
}  // namespace distlab::mesh

// The handshake engines against any bytes, in both roles, with any answers of their owner.
// Input: one byte of choices, then what the peer sends.
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "models/dist/handshake.h"
#include "models/dist/testing/samples.h"

namespace {

using namespace distlab::dist;
using distlab::Bytes;

void require(bool condition) {
  if (!condition) std::abort();
}

void answer(Initiator& engine, uint8_t choices) {
  if (engine.state() == HandshakeState::asks_pending) engine.answer_pending((choices & 0x10) != 0);
}

void answer(Acceptor& engine, uint8_t choices) {
  if (engine.state() == HandshakeState::asks_status) {
    if (engine.wants_name()) {
      engine.answer_named("dyn@hosta.test", 1);
    } else {
      engine.answer_status(Pending(choices >> 4 & 3));
    }
  }
  if (engine.state() == HandshakeState::asks_wait_pending) engine.old_connection_gone();
}

template <typename Engine>
void run(Engine& engine, uint8_t choices, Bytes input) {
  const size_t chunk = 1 + (choices >> 1 & 7);
  for (size_t i = 0; i < input.size(); i += chunk) {
    engine.on_bytes(input.subspan(i, std::min(chunk, input.size() - i)));
    answer(engine, choices);
    require(engine.take_output().size() < 1000);
    engine.take_steps();
  }
  engine.on_closed();
  switch (engine.state()) {
    case HandshakeState::done:
      require((engine.result().flags & ~engine.result().peer_flags) == 0);
      break;
    case HandshakeState::failed:
      require(!engine.failure().detail.empty());
      break;
    case HandshakeState::parked:
      break;
    default:
      require(false);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes input(data + 1, size - 1);
  if ((data[0] & 1) != 0) {
    auto config = testing::initiator_config();
    if ((data[0] & 0x80) != 0) {
      config.self = "hosta.test";
      config.flags |= flag::name_me;
    }
    Initiator engine(config);
    run(engine, data[0], input);
  } else {
    Acceptor engine(testing::acceptor_config());
    run(engine, data[0], input);
  }
  return 0;
}

// What the frames say: one struct per frame type, and its CBOR map. The README lists every field.
//
// A map has exactly the fields of its type. decode() never throws and never yields a message that breaks
// the rules of cbor.h; the lengths of names are the receiver's to limit.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include <tl/expected.hpp>

#include "models/mesh/client.h"
#include "models/mesh/frame.h"

namespace distlab::mesh {

struct Connect {
  std::string realm, identity;
};
struct Welcome {
  std::string relay;     // the relay's name
  uint64_t session = 0;  // its number there, for its logs
};
struct Disconnect {
  std::string reason;
};
struct Ping {
  uint64_t id = 0;
};
struct Pong {
  uint64_t id = 0;
};
struct Error {
  std::string code, message;
};
struct Subscribe {
  std::string topic;
};
struct Unsubscribe {
  std::string topic;
};
struct Call {
  uint64_t id = 0;  // chosen by the caller; the relay gives the callee another
  std::string procedure;
  Json args;
};
struct Reply {
  uint64_t id = 0;
  CallResult result;
};
struct Advertise {
  std::string procedure;
};
struct Unadvertise {
  std::string procedure;
};

using MessageId = std::array<uint8_t, 16>;

// Every byte of a tunnel travels in one of these, so it has a reader and a writer of its own that build no
// tree. Views into the frame; qos is 0 and retain false in all of them.
struct Publish {
  std::string_view topic;
  Bytes payload;
  MessageId id{};
};

// All but PUBLISH.
using Message = std::variant<Connect, Welcome, Disconnect, Ping, Pong, Error, Subscribe, Unsubscribe, Call, Reply,
                             Advertise, Unadvertise>;

Frame encode(const Message& message);
Frame encode(const Publish& publish);
tl::expected<Message, FrameError> decode(const Frame& frame);  // FrameError::type for a PUBLISH, too
tl::expected<Publish, FrameError> decode_publish(const Frame& frame);

}  // namespace distlab::mesh

#include "models/mesh/message.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "models/mesh/cbor.h"

namespace distlab::mesh {
namespace {

Frame frame_of(FrameType type, const Json& body) {
  const auto encoded = encode_cbor(body);
  auto bytes = begin_frame(type, encoded.size());
  bytes.insert(bytes.end(), encoded.begin(), encoded.end());
  return seal(std::move(bytes));
}

struct Encoder {
  Frame operator()(const Connect& m) const {
    return frame_of(FrameType::connect, {{"realm", m.realm}, {"identity", m.identity}});
  }
  Frame operator()(const Welcome& m) const {
    return frame_of(FrameType::welcome, {{"relay", m.relay}, {"session", m.session}});
  }
  Frame operator()(const Disconnect& m) const { return frame_of(FrameType::disconnect, {{"reason", m.reason}}); }
  Frame operator()(const Ping& m) const { return frame_of(FrameType::ping, {{"id", m.id}}); }
  Frame operator()(const Pong& m) const { return frame_of(FrameType::pong, {{"id", m.id}}); }
  Frame operator()(const Error& m) const {
    return frame_of(FrameType::error, {{"code", m.code}, {"message", m.message}});
  }
  Frame operator()(const Subscribe& m) const { return frame_of(FrameType::subscribe, {{"topic", m.topic}}); }
  Frame operator()(const Unsubscribe& m) const { return frame_of(FrameType::unsubscribe, {{"topic", m.topic}}); }
  Frame operator()(const Call& m) const {
    return frame_of(FrameType::call, {{"call_id", m.id}, {"procedure", m.procedure}, {"args", m.args}});
  }
  Frame operator()(const Reply& m) const {
    Json body{{"call_id", m.id}};
    if (m.result) {
      body["result"] = *m.result;
    } else {
      body["error"] = {{"code", m.result.error().code}, {"message", m.result.error().message}};
    }
    return frame_of(FrameType::reply, body);
  }
  Frame operator()(const Advertise& m) const { return frame_of(FrameType::advertise, {{"procedure", m.procedure}}); }
  Frame operator()(const Unadvertise& m) const {
    return frame_of(FrameType::unadvertise, {{"procedure", m.procedure}});
  }
};

// Takes the fields of a map out one by one. A missing field, one of another type, or one too many make
// it fail; done() tells.
class Fields {
 public:
  explicit Fields(Json& body) : body_(body), ok_(body.is_object()) {}

  std::string text(const char* key) {
    Json value = take(key);
    if (!value.is_string()) ok_ = false;
    return ok_ ? std::move(value.get_ref<std::string&>()) : std::string();
  }
  uint64_t number(const char* key) {
    const Json value = take(key);
    if (!value.is_number_unsigned()) ok_ = false;
    return ok_ ? value.get<uint64_t>() : 0;
  }
  bool has(const char* key) const { return ok_ && body_.contains(key); }
  Json take(const char* key) {
    const auto found = ok_ ? body_.find(key) : body_.end();
    if (!ok_ || found == body_.end()) {
      ok_ = false;
      return {};
    }
    Json value = std::move(*found);
    ++taken_;
    return value;
  }
  bool done() const { return ok_ && taken_ == body_.size(); }

 private:
  Json& body_;
  bool ok_;
  size_t taken_ = 0;
};

std::optional<CallError> call_error(Json value) {
  Fields fields(value);
  CallError error{fields.text("code"), fields.text("message")};
  if (!fields.done()) return {};
  return error;
}

std::optional<Reply> reply_of(Fields& fields) {
  Reply reply{fields.number("call_id"), {}};
  if (fields.has("result")) {
    reply.result = fields.take("result");
    return reply;
  }
  auto error = call_error(fields.take("error"));
  if (!error) return {};
  reply.result = tl::unexpected(std::move(*error));
  return reply;
}

// The fields are read in the order in which they are written here: a braced list is evaluated so.
std::optional<Message> message_of(FrameType type, Fields& fields) {
  switch (type) {
    case FrameType::connect:
      return Connect{fields.text("realm"), fields.text("identity")};
    case FrameType::welcome:
      return Welcome{fields.text("relay"), fields.number("session")};
    case FrameType::disconnect:
      return Disconnect{fields.text("reason")};
    case FrameType::ping:
      return Ping{fields.number("id")};
    case FrameType::pong:
      return Pong{fields.number("id")};
    case FrameType::error:
      return Error{fields.text("code"), fields.text("message")};
    case FrameType::subscribe:
      return Subscribe{fields.text("topic")};
    case FrameType::unsubscribe:
      return Unsubscribe{fields.text("topic")};
    case FrameType::call:
      return Call{fields.number("call_id"), fields.text("procedure"), fields.take("args")};
    case FrameType::reply:
      return reply_of(fields);
    case FrameType::advertise:
      return Advertise{fields.text("procedure")};
    case FrameType::unadvertise:
      return Unadvertise{fields.text("procedure")};
    case FrameType::publish:
      break;
  }
  return {};
}

bool known(FrameType type) {
  switch (type) {
    case FrameType::connect:
    case FrameType::welcome:
    case FrameType::disconnect:
    case FrameType::ping:
    case FrameType::pong:
    case FrameType::error:
    case FrameType::subscribe:
    case FrameType::unsubscribe:
    case FrameType::call:
    case FrameType::reply:
    case FrameType::advertise:
    case FrameType::unadvertise:
      return true;
    case FrameType::publish:
      return false;
  }
  return false;
}

void put_text(std::vector<uint8_t>& out, std::string_view text) {
  put_cbor_head(out, CborMajor::text, text.size());
  out.insert(out.end(), text.begin(), text.end());
}

void put_bytes(std::vector<uint8_t>& out, Bytes bytes) {
  put_cbor_head(out, CborMajor::bytes, bytes.size());
  out.insert(out.end(), bytes.begin(), bytes.end());
}

constexpr size_t publish_overhead = 80;  // keys, heads, id: so that encoding allocates once
constexpr size_t publish_fields = 5;
constexpr uint8_t simple_false = 20;

// Reads one field; false if it is not one of a PUBLISH, or not of its type. `seen` gets its bit.
bool read_field(CborReader& reader, Publish& out, unsigned& seen) {
  const auto key = reader.text();
  if (!key) return false;
  if (*key == "topic") {
    seen |= 1;
    const auto topic = reader.text();
    out.topic = topic.value_or("");
    return topic.has_value();
  }
  const auto head = reader.head();
  if (!head) return false;
  if (*key == "payload" || *key == "message_id") {
    if (head->major != CborMajor::bytes) return false;
    const auto bytes = reader.take(head->value);
    if (!bytes) return false;
    if (*key == "payload") {
      seen |= 2;
      out.payload = *bytes;
      return true;
    }
    seen |= 4;
    if (bytes->size() != out.id.size()) return false;
    std::copy(bytes->begin(), bytes->end(), out.id.begin());
    return true;
  }
  if (*key == "qos") {
    seen |= 8;
    return head->major == CborMajor::uint && head->value == 0;
  }
  seen |= 16;
  return *key == "retain" && head->major == CborMajor::simple && head->info == simple_false;
}

}  // namespace

Frame encode(const Message& message) {
  return std::visit(Encoder{}, message);
}

// Keys in the order of their names, which makes the bytes those of encode_cbor over the same map.
Frame encode(const Publish& publish) {
  auto out = begin_frame(FrameType::publish, publish_overhead + publish.topic.size() + publish.payload.size());
  put_cbor_head(out, CborMajor::map, publish_fields);
  put_text(out, "message_id");
  put_bytes(out, publish.id);
  put_text(out, "payload");
  put_bytes(out, publish.payload);
  put_text(out, "qos");
  put_cbor_head(out, CborMajor::uint, 0);
  put_text(out, "retain");
  put_cbor_head(out, CborMajor::simple, simple_false);
  put_text(out, "topic");
  put_text(out, publish.topic);
  return seal(std::move(out));
}

tl::expected<Message, FrameError> decode(const Frame& frame) {
  if (!known(frame.type())) return tl::unexpected(FrameError::type);
  auto body = decode_cbor(frame.body());
  if (!body) return tl::unexpected(FrameError::body);
  Fields fields(*body);
  auto message = message_of(frame.type(), fields);
  if (!message || !fields.done()) return tl::unexpected(FrameError::body);
  return std::move(*message);
}

tl::expected<Publish, FrameError> decode_publish(const Frame& frame) {
  if (frame.type() != FrameType::publish) return tl::unexpected(FrameError::type);
  CborReader reader(frame.body());
  const auto map = reader.head();
  if (!map || map->major != CborMajor::map || map->value != publish_fields) return tl::unexpected(FrameError::body);
  Publish out;
  unsigned seen = 0;
  for (size_t i = 0; i < publish_fields; ++i) {
    if (!read_field(reader, out, seen)) return tl::unexpected(FrameError::body);
  }
  // Five fields and five bits: each came once.
  if (seen != 31 || !reader.at_end()) return tl::unexpected(FrameError::body);
  return out;
}

}  // namespace distlab::mesh

// Sessions that talk to a RelayCore without any transport.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "models/mesh/relay_core.h"

namespace distlab::mesh::testing {

class CoreTalk {
 public:
  explicit CoreTalk(RelayCore::Settings settings = {.name = "berlin"}) : core(std::move(settings)) {}

  SessionId open(Ipv4 address = Ipv4{0x0a000001}) { return core.open(now, {address, ++port_}); }
  void say(SessionId id, const Frame& frame) { core.on_frame(now, id, frame); }
  void say(SessionId id, const Message& message) { say(id, encode(message)); }
  void publish(SessionId id, const std::string& topic, size_t size = 1) {
    const std::vector<uint8_t> payload(size, 'x');
    say(id, encode(Publish{topic, payload, {}}));
  }
  // A connected session that has read its WELCOME.
  SessionId join(const std::string& identity, const std::string& realm = "r") {
    const SessionId id = open();
    say(id, Connect{realm, identity});
    hear(id);
    return id;
  }

  // All frames that wait for the session, in words: "WELCOME", "REPLY 1 limit: calls", "PUBLISH x".
  std::vector<std::string> hear(SessionId id) {
    for (Bytes out = core.output(id); !out.empty(); out = core.output(id)) {
      if (!reader_[id].push(out)) return {"a broken stream"};
      core.consumed(id, out.size());
    }
    std::vector<std::string> words;
    while (const auto frame = reader_[id].next()) words.push_back(in_words(*frame));
    return words;
  }
  void pass(Duration duration) {
    const Time end = now + duration;
    for (auto next = core.next_time(); next && *next <= end; next = core.next_time()) {
      now = std::max(now, *next);
      core.on_time(now);
    }
    now = end;
  }
  std::string closing(SessionId id) const {
    const auto* closing = core.closing(id);
    return closing == nullptr ? "" : closing->reason;
  }
  // The events since asked last, as "kind subject reason" and, of those that count, how many "x7".
  std::vector<std::string> events() {
    std::vector<std::string> out;
    for (const Event& event : core.take_events()) {
      std::string words = std::string(event.kind) + " " + event.subject;
      for (const Field& field : event.fields) {
        if (field.key == "reason") words += " " + std::get<std::string>(field.value);
        if (field.key == "messages" || field.key == "count")
          words += " x" + std::to_string(std::get<int64_t>(field.value));
      }
      out.push_back(words);
    }
    return out;
  }

  static std::string in_words(const Frame& frame) {
    if (frame.type() == FrameType::publish) return "PUBLISH " + std::string(decode_publish(frame)->topic);
    const auto message = decode(frame);
    if (!message) return "?";
    return std::visit([](const auto& it) { return words(it); }, *message);
  }

  RelayCore core;
  Time now = run_start;

 private:
  static std::string words(const Welcome&) { return "WELCOME"; }
  static std::string words(const Disconnect& m) { return "DISCONNECT " + m.reason; }
  static std::string words(const Pong& m) { return "PONG " + std::to_string(m.id); }
  static std::string words(const Error& m) { return "ERROR " + m.code + ": " + m.message; }
  static std::string words(const Call& m) { return "CALL " + std::to_string(m.id) + " " + m.procedure; }
  static std::string words(const Reply& m) {
    const std::string out = "REPLY " + std::to_string(m.id) + " ";
    return m.result ? out + m.result->dump() : out + m.result.error().code + ": " + m.result.error().message;
  }
  template <typename Unexpected>
  static std::string words(const Unexpected&) {
    return "?";
  }

  std::map<SessionId, FrameReader> reader_;
  uint16_t port_ = 1000;
};

}  // namespace distlab::mesh::testing

// RapidCheck generators of messages.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <rapidcheck.h>

#include "models/mesh/message.h"

namespace distlab::mesh::testing {

inline rc::Gen<std::string> name() {
  // Letters of one, two, three and four bytes, and long names.
  const auto letters = rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("a", "Z", ".", "_", "/", "=", "ø", "€", "😀", std::string(100, 'x')));
  return rc::gen::map(rc::gen::resize(8, letters), [](const std::vector<std::string>& parts) {
    std::string out;
    for (const auto& part : parts) out += part;
    return out;
  });
}

inline rc::Gen<Json> scalar() {
  return rc::gen::oneOf(
      rc::gen::map(rc::gen::arbitrary<int64_t>(), [](int64_t n) { return Json(n); }),
      rc::gen::map(rc::gen::arbitrary<uint64_t>(), [](uint64_t n) { return Json(n); }),
      rc::gen::map(rc::gen::arbitrary<double>(), [](double d) { return Json(d); }),
      rc::gen::map(rc::gen::arbitrary<bool>(), [](bool b) { return Json(b); }), rc::gen::just(Json()),
      rc::gen::map(name(), [](const std::string& s) { return Json(s); }),
      rc::gen::map(rc::gen::arbitrary<std::vector<uint8_t>>(), [](std::vector<uint8_t> b) { return Json::binary(b); }));
}

inline rc::Gen<Json> json(int depth = 3) {
  if (depth == 0) return scalar();
  const auto inner = json(depth - 1);
  return rc::gen::oneOf(scalar(),
                        rc::gen::map(rc::gen::resize(5, rc::gen::container<std::vector<Json>>(inner)),
                                     [](const std::vector<Json>& items) { return Json(items); }),
                        rc::gen::map(rc::gen::resize(5, rc::gen::container<std::map<std::string, Json>>(name(), inner)),
                                     [](const std::map<std::string, Json>& fields) { return Json(fields); }));
}

inline rc::Gen<uint64_t> number() {
  return rc::gen::oneOf(rc::gen::inRange<uint64_t>(0, 30), rc::gen::arbitrary<uint64_t>());
}

inline rc::Gen<CallResult> call_result() {
  return rc::gen::oneOf(
      rc::gen::map(json(), [](Json value) -> CallResult { return value; }),
      rc::gen::map(rc::gen::pair(name(), name()), [](const std::pair<std::string, std::string>& words) -> CallResult {
        return tl::unexpected(CallError{words.first, words.second});
      }));
}

inline rc::Gen<Message> message() {
  const auto text = name();
  const auto texts = rc::gen::pair(name(), name());
  return rc::gen::oneOf(rc::gen::map(texts,
                                     [](auto t) {
                                       return Message(Connect{t.first, t.second});
                                     }),
                        rc::gen::map(rc::gen::pair(name(), number()),
                                     [](auto t) {
                                       return Message(Welcome{t.first, t.second});
                                     }),
                        rc::gen::map(text, [](auto t) { return Message(Disconnect{t}); }),
                        rc::gen::map(number(), [](auto n) { return Message(Ping{n}); }),
                        rc::gen::map(number(), [](auto n) { return Message(Pong{n}); }),
                        rc::gen::map(texts,
                                     [](auto t) {
                                       return Message(Error{t.first, t.second});
                                     }),
                        rc::gen::map(text, [](auto t) { return Message(Subscribe{t}); }),
                        rc::gen::map(text, [](auto t) { return Message(Unsubscribe{t}); }),
                        rc::gen::map(rc::gen::tuple(number(), name(), json()),
                                     [](auto t) {
                                       return Message(Call{std::get<0>(t), std::get<1>(t), std::get<2>(t)});
                                     }),
                        rc::gen::map(rc::gen::pair(number(), call_result()),
                                     [](auto t) {
                                       return Message(Reply{t.first, t.second});
                                     }),
                        rc::gen::map(text, [](auto t) { return Message(Advertise{t}); }),
                        rc::gen::map(text, [](auto t) { return Message(Unadvertise{t}); }));
}

}  // namespace distlab::mesh::testing

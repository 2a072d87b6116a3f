// What the tests of this room are written with.
#pragma once

#include <cctype>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/dist/control.h"
#include "models/dist/handshake.h"

namespace distlab::dist::testing {

inline const std::string node_a = "a@hosta.test";
inline const std::string node_b = "b@hostb.test";

inline Pid pid(const std::string& node, uint32_t id) {
  return {node, id, 0, 7};
}
inline Ref ref(const std::string& node, uint32_t number) {
  return {node, 7, {number, 2, 3}};
}

// "83 46 'text' 00": hex bytes and quoted text.
inline std::vector<uint8_t> bytes(std::string_view text) {
  std::vector<uint8_t> out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\'') {
      for (++i; text[i] != '\''; ++i) out.push_back(uint8_t(text[i]));
    } else if (std::isxdigit(static_cast<unsigned char>(text[i])) != 0) {
      out.push_back(uint8_t(std::stoi(std::string(text.substr(i++, 2)), nullptr, 16)));
    }
  }
  return out;
}

inline std::vector<uint8_t> joined(const std::vector<std::vector<uint8_t>>& parts) {
  std::vector<uint8_t> out;
  for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

inline InitiatorConfig initiator_config() {
  InitiatorConfig config;
  config.self = node_a;
  config.peer = node_b;
  config.creation = 0x11223344;
  config.flags = default_flags(true);
  config.cookie = [](std::string_view) { return std::string("secret"); };
  config.challenge = 0x01020304;
  return config;
}

inline AcceptorConfig acceptor_config() {
  AcceptorConfig config;
  config.self = node_b;
  config.creation = 0x55667788;
  config.flags = default_flags(true);
  config.cookie = [](std::string_view) { return std::string("secret"); };
  config.challenge = 0xfffefdfc;
  return config;
}

// Carries output both ways until neither side has any; `chunk` bytes at a time.
inline void shuttle(Handshake& a, Handshake& b, size_t chunk = 4096) {
  const auto carry = [chunk](Handshake& from, Handshake& to) {
    const auto out = from.take_output();
    for (size_t i = 0; i < out.size(); i += chunk) to.on_bytes(Bytes(out).subspan(i, std::min(chunk, out.size() - i)));
    return !out.empty();
  };
  for (bool any = true; any;) {
    any = carry(a, b);
    any |= carry(b, a);
  }
}

}  // namespace distlab::dist::testing

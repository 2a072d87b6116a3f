// What tests of a Host hang on its streams and sockets.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "models/host/host.h"

namespace distlab::conformance {

// One end of a connection as a test sees it.
struct Peer : StreamHandler {
  std::unique_ptr<ByteStream> stream;
  int connected = 0, writable = 0;
  std::vector<uint8_t> data;
  std::optional<NetError> closed;
  const bool* inside = nullptr;  // a call on the host is in progress: no callback may come
  std::function<void()> then;    // run at the end of every callback but on_closed

  void take(std::unique_ptr<ByteStream> accepted) {
    stream = std::move(accepted);
    stream->set_handler(*this);
  }
  void on_connected() override {
    ++connected;
    after_callback();
  }
  void on_data(Bytes bytes) override {
    EXPECT_FALSE(closed);
    EXPECT_FALSE(bytes.empty());
    data.insert(data.end(), bytes.begin(), bytes.end());
    after_callback();
  }
  void on_writable() override {
    EXPECT_FALSE(closed);
    ++writable;
    after_callback();
  }
  void on_closed(NetError why) override {
    EXPECT_FALSE(closed) << "closed twice";
    EXPECT_FALSE(inside && *inside);
    closed = why;
  }
  std::string text() const { return {data.begin(), data.end()}; }

 private:
  void after_callback() {
    EXPECT_FALSE(inside && *inside) << "a callback from inside a call";
    if (const auto run = then) run();
  }
};

struct Datagrams : UdpHandler {
  std::vector<std::pair<Endpoint, std::string>> got;
  void on_datagram(Endpoint remote, Bytes datagram) override {
    got.emplace_back(remote, std::string(datagram.begin(), datagram.end()));
  }
};

inline Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// Bytes that show a loss, a swap or a repetition at any place.
inline std::vector<uint8_t> pattern(size_t size) {
  RandomStream stream(7, "conformance", "pattern");
  std::vector<uint8_t> out(size);
  stream.fill(out);
  return out;
}

}  // namespace distlab::conformance

// Our values as ngtcp2's and back. Only the room's own sources include this.
#pragma once

#include <cstring>

#include <ngtcp2/ngtcp2.h>

#include "models/host/endpoint.h"
#include "models/host/time.h"
#include "models/quic/connection_id.h"

namespace distlab::quic {

struct Path {
  Endpoint local, remote;
  bool operator==(const Path&) const = default;
};

inline ngtcp2_sockaddr_in to_native(Endpoint endpoint) {
  const auto byte = [](uint32_t value, int shift) { return static_cast<uint8_t>(value >> shift); };
  const uint32_t bits = endpoint.address.bits;
  const std::array<uint8_t, 4> address{byte(bits, 24), byte(bits, 16), byte(bits, 8), byte(bits, 0)};
  const std::array<uint8_t, 2> port{byte(endpoint.port, 8), byte(endpoint.port, 0)};
  ngtcp2_sockaddr_in native{};
  native.sin_family = NGTCP2_AF_INET;
  std::memcpy(&native.sin_addr, address.data(), address.size());
  std::memcpy(&native.sin_port, port.data(), port.size());
  return native;
}

inline Endpoint from_native(const ngtcp2_addr& address) {
  ngtcp2_sockaddr_in native{};
  if (address.addrlen != sizeof(native)) return {};
  std::memcpy(&native, address.addr, sizeof(native));
  std::array<uint8_t, 4> bits{};
  std::array<uint8_t, 2> port{};
  std::memcpy(bits.data(), &native.sin_addr, bits.size());
  std::memcpy(port.data(), &native.sin_port, port.size());
  return {Ipv4{static_cast<uint32_t>(bits[0]) << 24 | static_cast<uint32_t>(bits[1]) << 16 |
               static_cast<uint32_t>(bits[2]) << 8 | bits[3]},
          static_cast<uint16_t>(port[0] << 8 | port[1])};
}

// A path whose addresses live as long as it does.
class NativePath {
 public:
  NativePath() { ngtcp2_path_storage_zero(&storage_); }
  explicit NativePath(const Path& path) {
    const ngtcp2_sockaddr_in local = to_native(path.local), remote = to_native(path.remote);
    ngtcp2_path_storage_init(&storage_, reinterpret_cast<const ngtcp2_sockaddr*>(&local), sizeof(local),
                             reinterpret_cast<const ngtcp2_sockaddr*>(&remote), sizeof(remote), nullptr);
  }
  NativePath(const NativePath&) = delete;
  NativePath& operator=(const NativePath&) = delete;
  ngtcp2_path* get() { return &storage_.path; }
  Path value() const { return {from_native(storage_.path.local), from_native(storage_.path.remote)}; }

 private:
  ngtcp2_path_storage storage_{};
};

inline Path from_native(const ngtcp2_path& path) {
  return {from_native(path.local), from_native(path.remote)};
}

inline ngtcp2_cid to_native(const ConnectionId& id) {
  ngtcp2_cid native{};
  ngtcp2_cid_init(&native, id.bytes.data(), id.size);
  return native;
}

inline ConnectionId from_native(const ngtcp2_cid& id) {
  return ConnectionId(Bytes(id.data, id.datalen));
}

inline ngtcp2_tstamp to_native(Time time) {
  return static_cast<ngtcp2_tstamp>(time.time_since_epoch().count());
}

// Time::max() where ngtcp2 says "never".
inline Time time_from_native(ngtcp2_tstamp time) {
  return time > static_cast<ngtcp2_tstamp>(Time::max().time_since_epoch().count())
             ? Time::max()
             : Time(Duration(static_cast<int64_t>(time)));
}

}  // namespace distlab::quic

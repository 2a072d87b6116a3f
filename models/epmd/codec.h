// The messages of the EPMD protocol, both ways ("EPMD Protocol", erl_dist_protocol).
//
// Requests have a length of two bytes in front; responses have none and end with the connection,
// or with their own last byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

namespace distlab::epmd {

inline constexpr uint16_t default_port = 4369;
inline constexpr size_t max_name = 255;         // characters, of up to 4 bytes each
inline constexpr size_t max_extra = 1020;       // bytes (MAXSYMLEN)
inline constexpr uint16_t highest_version = 6;  // of OTP 25
inline constexpr uint16_t lowest_version = 5;
inline constexpr uint8_t normal_node = 77;  // 'M'
inline constexpr uint8_t hidden_node = 72;  // 'H'

struct Alive2Request {  // 120: a node comes up
  uint16_t port = 0;
  uint8_t node_type = normal_node;
  uint8_t protocol = 0;  // TCP over IPv4
  uint16_t highest = highest_version;
  uint16_t lowest = lowest_version;
  std::string name;
  std::string extra;
};
struct PortPlease2Request {  // 122
  std::string name;
};
struct NamesRequest {};  // 110

using Request = std::variant<Alive2Request, PortPlease2Request, NamesRequest>;

struct Alive2Response {
  uint8_t result = 0;  // 0: ok
  uint32_t creation = 0;
};
struct Port2Response {
  uint8_t result = 0;  // 0: ok, and then the rest is there
  Alive2Request node;
};
struct NamesResponse {
  uint32_t epmd_port = 0;
  std::vector<std::pair<std::string, uint16_t>> nodes;
};

// With the length in front.
std::vector<uint8_t> encode(const Request& request);
// As epmd answers: ALIVE2_X_RESP (118, 32-bit creation) to a node of version 6, else ALIVE2_RESP.
std::vector<uint8_t> encode(const Alive2Response& response, bool extended);
std::vector<uint8_t> encode(const Port2Response& response);
std::vector<uint8_t> encode(const NamesResponse& response);

// What epmd registers: 1 to 255 characters of UTF-8.
bool valid_name(std::string_view name);

// Each decoder looks at all bytes received so far. Nothing: more bytes are needed. The error is a
// line for the log; after it the connection is worth nothing.
template <typename T>
using Parsed = tl::expected<std::optional<T>, std::string>;

// epmd's INBUF_SIZE, as measured: a request with its length is shorter.
inline constexpr size_t max_request = 3060;
// As lenient as epmd: what follows the fields of a request inside its length is ignored. An
// impossible name in an ALIVE2_REQ is not an error here: epmd answers it (see valid_name).
Parsed<Request> decode_request(std::span<const uint8_t> bytes);
Parsed<Alive2Response> decode_alive2_response(std::span<const uint8_t> bytes);
Parsed<Port2Response> decode_port2_response(std::span<const uint8_t> bytes);
// The whole response, once the connection has ended.
tl::expected<NamesResponse, std::string> decode_names_response(std::span<const uint8_t> bytes);

}  // namespace distlab::epmd

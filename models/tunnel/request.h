// What is said to agree on a tunnel: the procedure, its arguments, its answer, and the topics that follow.
//
// Source: facts relay-distribution.md section 1.2, steps 1 to 4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <tl/expected.hpp>

namespace distlab::tunnel {

inline constexpr size_t max_node_name = 1020;  // bytes of an atom: 255 characters of UTF-8
inline constexpr size_t max_tunnel_id = 64;    // bytes; the real ones have 24

enum class Direction { out, in };  // who asked: this node, or the peer

std::string_view to_string(Direction direction);

std::string procedure_of(std::string_view node_name);  // "_dist.tunnel.<node>"

// The two topics as one side uses them: what the asking side sends goes to `.out`.
struct Topics {
  std::string send, receive;
};
Topics topics_of(std::string_view tunnel_id, Direction direction);

std::string make_tunnel_id(std::span<const uint8_t, 16> random);  // base64: 24 characters

// The arguments of the call. Nothing proves who asks.
nlohmann::json request_body(std::string_view from_node, std::string_view target_node);
// from_node; empty if there is none. Nothing: this is not a request.
std::optional<std::string> parse_request(const nlohmann::json& args);

// The answer of the side that takes the tunnel.
nlohmann::json answer_body(std::string_view tunnel_id);
// The tunnel's id, or the error that it names instead. Topics in the answer are not looked at.
tl::expected<std::string, std::string> parse_answer(const nlohmann::json& answer);

}  // namespace distlab::tunnel

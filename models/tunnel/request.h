// What two nodes say to agree on a tunnel: the arguments of the CALL and its answer, as maps of strings.
// Whatever a peer sends is checked here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "models/mesh/client.h"
#include "models/tunnel/bridge.h"

namespace distlab::tunnel {

inline constexpr size_t max_node_name = 1'024;  // bytes
inline constexpr size_t tunnel_id_size = 24;    // characters: base64 of 16 bytes

std::string procedure_of(const std::string& node);  // "_dist.tunnel.<node>"

struct TunnelRequest {
  std::string from_node, target_node;
};
mesh::Json to_json(const TunnelRequest& request);
std::optional<TunnelRequest> parse_request(const mesh::Json& args);

// The route as the accepting side (B) sees it: it sends on ".in".
Route accepted_route(const std::array<uint8_t, 16>& random, const std::string& peer);
mesh::Json to_reply(const Route& accepted);
// The same tunnel as the dialling side sees it.
std::optional<Route> parse_reply(const mesh::Json& reply, const std::string& peer);

}  // namespace distlab::tunnel

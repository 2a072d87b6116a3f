#include "models/tunnel/request.h"

#include <utility>

#include <openssl/evp.h>

namespace distlab::tunnel {
namespace {

constexpr size_t max_topic = 256;

// A text of the map, not empty and not too long.
std::optional<std::string> text_of(const mesh::Json& map, const char* key, size_t longest) {
  if (!map.is_object()) return std::nullopt;
  const auto found = map.find(key);
  if (found == map.end() || !found->is_string()) return std::nullopt;
  auto text = found->get<std::string>();
  if (text.empty() || text.size() > longest) return std::nullopt;
  return text;
}

}  // namespace

std::string procedure_of(const std::string& node) {
  return "_dist.tunnel." + node;
}

mesh::Json to_json(const TunnelRequest& request) {
  return {{"from_node", request.from_node}, {"target_node", request.target_node}};
}

std::optional<TunnelRequest> parse_request(const mesh::Json& args) {
  auto from = text_of(args, "from_node", max_node_name);
  auto target = text_of(args, "target_node", max_node_name);
  if (!from || !target) return std::nullopt;
  return TunnelRequest{std::move(*from), std::move(*target)};
}

Route accepted_route(const std::array<uint8_t, 16>& random, const std::string& peer) {
  std::array<unsigned char, tunnel_id_size + 1> text{};
  EVP_EncodeBlock(text.data(), random.data(), static_cast<int>(random.size()));
  const std::string id(text.begin(), text.end() - 1);
  return {id, peer, "_dist.data." + id + ".in", "_dist.data." + id + ".out"};
}

mesh::Json to_reply(const Route& accepted) {
  return {{"tunnel_id", accepted.id}, {"send_topic", accepted.send_topic}, {"recv_topic", accepted.recv_topic}};
}

std::optional<Route> parse_reply(const mesh::Json& reply, const std::string& peer) {
  auto id = text_of(reply, "tunnel_id", max_topic);
  auto send = text_of(reply, "send_topic", max_topic);
  auto recv = text_of(reply, "recv_topic", max_topic);
  if (!id || !send || !recv || *send == *recv) return std::nullopt;
  return Route{std::move(*id), peer, std::move(*recv), std::move(*send)};
}

}  // namespace distlab::tunnel

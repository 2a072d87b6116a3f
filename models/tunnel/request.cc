#include "models/tunnel/request.h"

#include <algorithm>
#include <array>
#include <cassert>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "models/mesh/cbor.h"

namespace distlab::tunnel {
namespace {

// The text in a field of an object; null if there is no such text.
const std::string* text_in(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

bool printable(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return uint8_t(c) < 0x20 || c == 0x7f; });
}

}  // namespace

std::string_view to_string(Direction direction) {
  return direction == Direction::out ? "out" : "in";
}

std::string procedure_of(std::string_view node_name) {
  return fmt::format("_dist.tunnel.{}", node_name);
}

Topics topics_of(std::string_view tunnel_id, Direction direction) {
  Topics topics{fmt::format("_dist.data.{}.out", tunnel_id), fmt::format("_dist.data.{}.in", tunnel_id)};
  if (direction == Direction::in) std::swap(topics.send, topics.receive);
  return topics;
}

std::string make_tunnel_id(std::span<const uint8_t, 16> random) {
  std::array<unsigned char, 25> text;  // with the terminating zero
  const int size = EVP_EncodeBlock(text.data(), random.data(), int(random.size()));
  assert(size == 24);
  return {text.begin(), text.begin() + size};
}

nlohmann::json request_body(std::string_view from_node, std::string_view target_node) {
  return {{"from_node", from_node}, {"target_node", target_node}};
}

std::optional<std::string> parse_request(const nlohmann::json& args) {
  if (!args.is_object()) return std::nullopt;
  if (!args.contains("from_node")) return std::string();
  const std::string* from = text_in(args, "from_node");
  if (from == nullptr || from->size() > max_node_name || !printable(*from)) return std::nullopt;
  return *from;
}

nlohmann::json answer_body(std::string_view tunnel_id) {
  const Topics topics = topics_of(tunnel_id, Direction::in);
  return {{"tunnel_id", tunnel_id}, {"send_topic", topics.send}, {"recv_topic", topics.receive}};
}

tl::expected<std::string, std::string> parse_answer(const nlohmann::json& answer) {
  if (const std::string* id = text_in(answer, "tunnel_id")) {
    if (id->empty() || id->size() > max_tunnel_id || !printable(*id))
      return tl::unexpected(std::string("unexpected_result"));
    return *id;
  }
  const std::string* error = text_in(answer, "error");
  if (error == nullptr || !printable(*error)) return tl::unexpected(std::string("unexpected_result"));
  return tl::unexpected(mesh::shortened(*error));
}

}  // namespace distlab::tunnel

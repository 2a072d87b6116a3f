#include "models/epmd/codec.h"

#include <charconv>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace distlab::epmd {
namespace {

constexpr uint8_t alive2_req = 120, port_please2_req = 122, names_req = 110;
constexpr uint8_t alive2_resp = 121, alive2_x_resp = 118, port2_resp = 119;

void put16(std::vector<uint8_t>& out, size_t value) {
  out.push_back(static_cast<uint8_t>(value >> 8));
  out.push_back(static_cast<uint8_t>(value));
}

void put_text(std::vector<uint8_t>& out, std::string_view text) {
  out.insert(out.end(), text.begin(), text.end());
}

// The part that ALIVE2_REQ and PORT2_RESP share.
void put_node(std::vector<uint8_t>& out, const Alive2Request& node) {
  put16(out, node.port);
  out.push_back(node.node_type);
  out.push_back(node.protocol);
  put16(out, node.highest);
  put16(out, node.lowest);
  put16(out, node.name.size());
  put_text(out, node.name);
  put16(out, node.extra.size());
  put_text(out, node.extra);
}

// Reads forward; nothing is returned beyond the end.
class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  std::optional<uint8_t> u8() {
    if (at_ >= bytes_.size()) return std::nullopt;
    return bytes_[at_++];
  }
  std::optional<uint16_t> u16() {
    const auto high = u8(), low = u8();
    if (!high || !low) return std::nullopt;
    return static_cast<uint16_t>(*high << 8 | *low);
  }
  std::optional<std::string> text() {  // with its length in front
    const auto size = u16();
    if (!size || *size > bytes_.size() - at_) return std::nullopt;
    const auto part = bytes_.subspan(at_, *size);
    at_ += *size;
    return std::string(part.begin(), part.end());
  }
  std::optional<Alive2Request> node() {
    const auto port = u16();
    const auto type = u8(), protocol = u8();
    const auto highest = u16(), lowest = u16();
    auto name = text();
    auto extra = name ? text() : std::nullopt;
    if (!port || !type || !protocol || !highest || !lowest || !name || !extra) return std::nullopt;
    return Alive2Request{*port, *type, *protocol, *highest, *lowest, std::move(*name), std::move(*extra)};
  }

 private:
  std::span<const uint8_t> bytes_;
  size_t at_ = 0;
};

tl::unexpected<std::string> bad(std::string why) {
  return tl::unexpected(std::move(why));
}

}  // namespace

bool valid_name(std::string_view name) {
  size_t characters = 0;
  for (size_t i = 0; i < name.size(); ++characters) {
    const auto lead = static_cast<uint8_t>(name[i]);
    const size_t size = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (lead == 0 || size == 0 || size > name.size() - i) return false;
    uint32_t point = size == 1 ? lead : lead & (0x7f >> size);
    for (size_t j = 1; j < size; ++j) {
      const auto next = static_cast<uint8_t>(name[i + j]);
      if (next >> 6 != 2) return false;
      point = point << 6 | (next & 0x3f);
    }
    constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[size] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
    i += size;
  }
  return characters >= 1 && characters <= max_name;
}

std::vector<uint8_t> encode(const Request& request) {
  std::vector<uint8_t> body;
  if (const auto* alive = std::get_if<Alive2Request>(&request)) {
    body.push_back(alive2_req);
    put_node(body, *alive);
  } else if (const auto* please = std::get_if<PortPlease2Request>(&request)) {
    body.push_back(port_please2_req);
    put_text(body, please->name);
  } else {
    body.push_back(names_req);
  }
  std::vector<uint8_t> out;
  put16(out, body.size());
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

std::vector<uint8_t> encode(const Alive2Response& response, bool extended) {
  std::vector<uint8_t> out{extended ? alive2_x_resp : alive2_resp, response.result};
  if (extended) put16(out, response.creation >> 16);
  put16(out, response.creation & 0xffff);
  return out;
}

std::vector<uint8_t> encode(const Port2Response& response) {
  std::vector<uint8_t> out{port2_resp, response.result};
  if (response.result == 0) put_node(out, response.node);
  return out;
}

std::vector<uint8_t> encode(const NamesResponse& response) {
  std::vector<uint8_t> out;
  put16(out, response.epmd_port >> 16);
  put16(out, response.epmd_port & 0xffff);
  for (const auto& [name, port] : response.nodes) put_text(out, fmt::format("name {} at port {}\n", name, port));
  return out;
}

Parsed<Request> decode_request(std::span<const uint8_t> bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const size_t size = static_cast<size_t>(bytes[0]) << 8 | bytes[1];
  if (size == 0 || 2 + size >= max_request) return bad("a request of an impossible length");
  if (bytes.size() > 2 + size) return bad("bytes behind a request");
  if (bytes.size() < 2 + size) return std::nullopt;
  const auto body = bytes.subspan(3, size - 1);
  switch (bytes[2]) {
    case alive2_req: {
      Reader reader(body);
      auto node = reader.node();
      if (!node || node->name.empty() || node->name.find('\0') != std::string::npos)
        return bad("a malformed ALIVE2_REQ");
      return Request{std::move(*node)};
    }
    case port_please2_req: {
      std::string name(body.begin(), body.end());
      if (name.ends_with('\0')) name.pop_back();
      if (!valid_name(name)) return bad("an impossible node name");
      return Request{PortPlease2Request{std::move(name)}};
    }
    case names_req:
      return Request{NamesRequest{}};
    default:
      return bad(fmt::format("an unknown request {}", bytes[2]));
  }
}

Parsed<Alive2Response> decode_alive2_response(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return std::nullopt;
  if (bytes[0] != alive2_resp && bytes[0] != alive2_x_resp) return bad("not an answer to ALIVE2_REQ");
  const size_t creation_size = bytes[0] == alive2_x_resp ? 4 : 2;
  if (bytes.size() < 2 + creation_size) return std::nullopt;
  Alive2Response out;
  out.result = bytes[1];
  for (size_t i = 0; i < creation_size; ++i) out.creation = out.creation << 8 | bytes[2 + i];
  return out;
}

Parsed<Port2Response> decode_port2_response(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return std::nullopt;
  if (bytes[0] != port2_resp) return bad("not an answer to PORT_PLEASE2_REQ");
  if (bytes.size() < 2) return std::nullopt;
  Port2Response out;
  out.result = bytes[1];
  if (out.result != 0) return out;
  if (bytes.size() > max_request) return bad("an answer of an impossible length");
  auto node = Reader(bytes.subspan(2)).node();
  if (!node) return std::nullopt;
  out.node = std::move(*node);
  return out;
}

tl::expected<NamesResponse, std::string> decode_names_response(std::span<const uint8_t> bytes) {
  if (bytes.size() < 4) return bad("an answer to NAMES_REQ that is cut off");
  NamesResponse out;
  for (size_t i = 0; i < 4; ++i) out.epmd_port = out.epmd_port << 8 | bytes[i];
  std::string_view text(reinterpret_cast<const char*>(bytes.data()) + 4, bytes.size() - 4);
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    constexpr std::string_view name_is = "name ", port_is = " at port ";
    const size_t middle = line.rfind(port_is);
    if (line.substr(0, name_is.size()) != name_is || middle == std::string_view::npos || middle < name_is.size()) {
      return bad("a malformed line in an answer to NAMES_REQ");
    }
    const std::string_view number = line.substr(middle + port_is.size());
    uint16_t port = 0;
    const auto [rest, error] = std::from_chars(number.data(), number.data() + number.size(), port);
    if (error != std::errc{} || rest != number.data() + number.size()) return bad("a malformed port in NAMES_RESP");
    out.nodes.emplace_back(line.substr(name_is.size(), middle - name_is.size()), port);
  }
  return out;
}

}  // namespace distlab::epmd

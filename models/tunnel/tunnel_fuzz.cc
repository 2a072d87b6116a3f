// Any bytes as a tunnel message, and any CBOR as what is said to agree on a tunnel.
//
// The first byte chooses: 0 a message, 1 arguments or an answer, 2 a plaintext that must come back, and
// must not once a bit of its message is changed.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "models/mesh/cbor.h"
#include "models/tunnel/crypt.h"
#include "models/tunnel/request.h"

namespace distlab::tunnel {
namespace {

void check_message(Bytes message) {
  Cipher cipher(tunnel_key("fuzz"));
  const auto opened = cipher.open(message);
  if (opened && opened->size() + overhead != message.size()) std::abort();
}

void check_bodies(Bytes bytes) {
  const auto body = mesh::decode_cbor(bytes);
  if (!body) return;
  if (const auto from = parse_request(*body); from && from->size() > max_node_name) std::abort();
  const auto id = parse_answer(*body);
  if (id && (id->empty() || id->size() > max_tunnel_id)) std::abort();
  if (id && parse_answer(answer_body(*id)) != id) std::abort();
}

void check_round_trip(Bytes plaintext) {
  Cipher cipher(tunnel_key("fuzz"));
  const Bytes sealed = cipher.seal(Nonce{}, plaintext);
  std::vector<uint8_t> message(sealed.begin(), sealed.end());
  const auto opened = cipher.open(message);
  if (!opened || !std::equal(opened->begin(), opened->end(), plaintext.begin(), plaintext.end())) std::abort();
  message[plaintext.size() % message.size()] ^= 1;
  if (cipher.open(message)) std::abort();
}

void check(Bytes input) {
  if (input.empty()) return;
  const Bytes rest = input.subspan(1);
  switch (input[0] % 3) {
    case 0:
      return check_message(rest);
    case 1:
      return check_bodies(rest);
    default:
      return check_round_trip(rest);
  }
}

}  // namespace
}  // namespace distlab::tunnel

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  distlab::tunnel::check({data, size});
  return 0;
}

// What a scenario says of relays, and of nodes whose distribution travels through them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace distlab::scenario {

// Constants and switches of a protocol by the name they have in the file. Only what the file gives:
// the rest follows from the node's preset, which the models know.
using ParameterValue = std::variant<std::chrono::nanoseconds, int64_t, double, bool, std::string>;
using Parameters = std::map<std::string, ParameterValue>;

enum class Preset {
  documented,  // the words of the public documents
  macula_3_13  // what the code of that version does
};

enum class TlsVerify { none, peer };

// What is wrong with a relay's certificate.
enum class Certificate { valid, expired, wrong_name, foreign };

// How a node reaches its relays; of nodes with the carrier `relay`.
struct Membership {
  std::vector<std::string> relays;  // keys of Scenario::relays, in the order they are tried; at least one
  std::string realm = "io.macula";
  std::string identity;  // the node's name unless given
  TlsVerify tls_verify = TlsVerify::none;
  Preset preset = Preset::documented;
  Parameters tunnel, mesh;
};

std::string_view to_string(Preset preset);

}  // namespace distlab::scenario

// External term format, both ways. Decoding is bounds-checked and limited; encoding uses what
// OTP 25 uses between nodes (UTF-8 atoms, NEW_PID_EXT, NEWER_REFERENCE_EXT).
//
// Source: "External Term Format", erl_ext_dist. Read is every tag that OTP 25 reads from a node
// without an atom cache. Stricter than OTP: a reference has at least one word, and a fun has the
// size it announces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "models/etf/term.h"

namespace distlab::etf {

// OTP has none of these. Whatever is announced, memory stays below about 300 bytes per byte of
// (inflated) input. Decoding, comparing, printing and dropping a term recurse as deep as it is.
struct DecodeLimits {
  size_t max_depth = 1000;
  size_t max_terms = 4u << 20;           // elements of all kinds in one term
  size_t max_uncompressed = 256u << 20;  // bytes a compressed term may grow to
};

struct DecodeError {
  size_t offset = 0;  // of what is wrong; in a compressed term, of its data
  std::string what;
};

struct Decoded {
  Term term;
  size_t consumed = 0;  // bytes of input read, the version byte included
};

inline constexpr uint8_t version_magic = 131;

// Decodes one term that starts with the version byte 131; bytes behind it are left alone.
tl::expected<Decoded, DecodeError> decode(std::span<const uint8_t> bytes, const DecodeLimits& limits = {});
// Appends 131 and the term.
void encode(const Term& term, std::vector<uint8_t>& out);
std::vector<uint8_t> encode(const Term& term);
// As term_to_binary(T, [{compressed, Level}]): compressed only if that is shorter.
std::vector<uint8_t> encode_compressed(const Term& term, int level = 6);

}  // namespace distlab::etf

// The tags of the external term format ("External Term Format", erl_ext_dist).
#pragma once

#include <cstdint>

namespace distlab::etf {

enum class Tag : uint8_t {
  new_float = 70,
  bit_binary = 77,
  compressed = 80,
  new_pid = 88,
  new_port = 89,
  newer_reference = 90,
  small_integer = 97,
  integer = 98,
  old_float = 99,
  atom = 100,  // latin-1
  reference = 101,
  port = 102,
  pid = 103,
  small_tuple = 104,
  large_tuple = 105,
  nil = 106,
  string = 107,
  list = 108,
  binary = 109,
  small_big = 110,
  large_big = 111,
  new_fun = 112,
  export_fun = 113,
  new_reference = 114,
  small_atom = 115,  // latin-1
  map = 116,
  atom_utf8 = 118,
  small_atom_utf8 = 119,
  v4_port = 120,
};

}  // namespace distlab::etf

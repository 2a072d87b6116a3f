// Secret random bytes in small portions, without the price of asking OpenSSL for each: a nonce of 12 bytes costs it
// about a microsecond, thousands of bytes hardly more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace distlab::real {

class SecretPool {
 public:
  static constexpr size_t largest_portion = 64;  // larger ones come from OpenSSL

  SecretPool();
  ~SecretPool();
  SecretPool(const SecretPool&) = delete;
  SecretPool& operator=(const SecretPool&) = delete;

  // Every byte is given once, and forgotten. A forked process has none of ours: the kernel empties its copy
  // (MADV_WIPEONFORK, madvise(2)).
  void fill(std::span<uint8_t> out);

 private:
  struct Page;
  Page* page_ = nullptr;  // null: the kernel gives no such memory
};

}  // namespace distlab::real

#include "real/secret_pool.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <sys/mman.h>

namespace distlab::real {
namespace {

constexpr size_t page_size = 4096;

// Without randomness there are no keys, and nothing sensible left to do.
void from_openssl(std::span<uint8_t> out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) std::abort();
}

}  // namespace

// All of it lies in memory that is zero after a fork: then nothing is left, too.
struct SecretPool::Page {
  size_t left;
  std::array<uint8_t, page_size - sizeof(size_t)> bytes;
};

SecretPool::SecretPool() {
  void* const memory = ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  if (::madvise(memory, sizeof(Page), MADV_WIPEONFORK) == 0) {
    page_ = static_cast<Page*>(memory);
  } else {
    ::munmap(memory, sizeof(Page));
  }
}

SecretPool::~SecretPool() {
  if (page_ == nullptr) return;
  OPENSSL_cleanse(page_, sizeof(Page));
  ::munmap(page_, sizeof(Page));
}

void SecretPool::fill(std::span<uint8_t> out) {
  if (page_ == nullptr || out.size() > largest_portion) return from_openssl(out);
  if (page_->left < out.size()) {
    from_openssl(page_->bytes);
    page_->left = page_->bytes.size();
  }
  page_->left -= out.size();
  const auto portion = std::span(page_->bytes).subspan(page_->left, out.size());
  std::copy(portion.begin(), portion.end(), out.begin());
  OPENSSL_cleanse(portion.data(), portion.size());
}

}  // namespace distlab::real

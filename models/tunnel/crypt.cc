#include "models/tunnel/crypt.h"

#include <algorithm>
#include <cassert>
#include <string>

#include <openssl/evp.h>

namespace distlab::tunnel {
namespace {

// OpenSSL fails here only without memory or through our own mistake.
void must(int done) {
  assert(done == 1);
  (void)done;
}

}  // namespace

Key key_from_cookie(std::string_view cookie) {
  const std::string text = "macula-dist-tunnel:" + std::string(cookie);
  Key key{};
  unsigned size = 0;
  must(EVP_Digest(text.data(), text.size(), key.data(), &size, EVP_sha256(), nullptr));
  assert(size == key.size());
  return key;
}

// The key schedule is worked out once; each message only brings its nonce.
struct Crypt::Contexts {
  EVP_CIPHER_CTX* seal = EVP_CIPHER_CTX_new();
  EVP_CIPHER_CTX* open = EVP_CIPHER_CTX_new();
  Contexts() = default;
  Contexts(const Contexts&) = delete;
  Contexts& operator=(const Contexts&) = delete;
  ~Contexts() {
    EVP_CIPHER_CTX_free(seal);
    EVP_CIPHER_CTX_free(open);
  }
};

Crypt::Crypt(const Key& key) : contexts_(std::make_unique<Contexts>()) {
  must(EVP_EncryptInit_ex(contexts_->seal, EVP_aes_256_gcm(), nullptr, key.data(), nullptr));
  must(EVP_DecryptInit_ex(contexts_->open, EVP_aes_256_gcm(), nullptr, key.data(), nullptr));
}

Crypt::~Crypt() = default;

std::vector<uint8_t> Crypt::seal(const Nonce& nonce, Bytes plain) {
  std::vector<uint8_t> message(overhead + plain.size());
  std::copy(nonce.begin(), nonce.end(), message.begin());
  EVP_CIPHER_CTX* const context = contexts_->seal;
  int size = 0;
  must(EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()));
  must(EVP_EncryptUpdate(context, message.data() + overhead, &size, plain.data(), static_cast<int>(plain.size())));
  must(EVP_EncryptFinal_ex(context, message.data() + overhead + size, &size));
  must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, tag_size, message.data() + nonce_size));
  return message;
}

std::optional<std::vector<uint8_t>> Crypt::open(Bytes message) {
  if (message.size() < overhead) return std::nullopt;
  std::vector<uint8_t> plain(message.size() - overhead);
  std::array<uint8_t, tag_size> tag{};
  std::copy_n(message.begin() + nonce_size, tag_size, tag.begin());
  EVP_CIPHER_CTX* const context = contexts_->open;
  int size = 0;
  std::array<uint8_t, 1> none{};  // OpenSSL wants an address even for nothing
  uint8_t* const out = plain.empty() ? none.data() : plain.data();
  must(EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, message.data()));
  must(EVP_DecryptUpdate(context, out, &size, message.data() + overhead, static_cast<int>(plain.size())));
  must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, tag_size, tag.data()));
  if (EVP_DecryptFinal_ex(context, out + size, &size) != 1) return std::nullopt;
  return plain;
}

}  // namespace distlab::tunnel

#include "models/tunnel/crypt.h"

#include <algorithm>
#include <limits>
#include <new>
#include <string>

#include <openssl/evp.h>

namespace distlab::tunnel {
namespace {

// OpenSSL counts in int. No message of ours comes near it: frames are far smaller.
constexpr size_t max_message = std::numeric_limits<int>::max();

// With these arguments these calls fail only for want of memory.
void must(int ok) {
  if (ok != 1) throw std::bad_alloc();
}

}  // namespace

Key tunnel_key(std::string_view cookie) {
  const std::string text = "macula-dist-tunnel:" + std::string(cookie);
  Key key;
  must(EVP_Digest(text.data(), text.size(), key.data(), nullptr, EVP_sha256(), nullptr));
  return key;
}

void Cipher::Free::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);
}

Cipher::Context Cipher::make(const Key& key, bool encrypts) {
  Context context(EVP_CIPHER_CTX_new());
  must(context ? 1 : 0);
  must(EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), nullptr, encrypts ? 1 : 0));
  return context;
}

Cipher::Cipher(const Key& key) : seals_(make(key, true)), opens_(make(key, false)) {}

Bytes Cipher::seal(const Nonce& nonce, Bytes plaintext) {
  sealed_.resize(overhead + plaintext.size());
  std::copy(nonce.begin(), nonce.end(), sealed_.begin());
  auto* context = seals_.get();
  int size = 0;
  must(EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data()));
  if (!plaintext.empty()) {
    must(EVP_EncryptUpdate(context, sealed_.data() + overhead, &size, plaintext.data(), int(plaintext.size())));
  }
  must(EVP_EncryptFinal_ex(context, sealed_.data() + overhead + size, &size));
  must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tag_size, sealed_.data() + nonce_size));
  return sealed_;
}

std::optional<Bytes> Cipher::open(Bytes message) {
  if (message.size() < overhead || message.size() > max_message) return std::nullopt;
  const Bytes ciphertext = message.subspan(overhead);
  opened_.resize(ciphertext.size());
  auto* context = opens_.get();
  int size = 0;
  must(EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, message.data()));
  // The ctrl call takes the tag without const, and copies it.
  std::array<uint8_t, tag_size> tag;
  std::copy_n(message.begin() + nonce_size, tag_size, tag.begin());
  must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()));
  if (!ciphertext.empty()) {
    must(EVP_DecryptUpdate(context, opened_.data(), &size, ciphertext.data(), int(ciphertext.size())));
  }
  if (EVP_DecryptFinal_ex(context, opened_.data() + size, &size) != 1) return std::nullopt;
  return Bytes(opened_);
}

}  // namespace distlab::tunnel

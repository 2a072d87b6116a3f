#include "sim/trace.h"

#include <array>
#include <bit>
#include <cassert>
#include <variant>

#include <fmt/format.h>
#include <openssl/evp.h>

namespace distlab::sim {

struct TraceHash::Digest {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  Digest() { EVP_DigestInit_ex(context, EVP_sha256(), nullptr); }
  ~Digest() { EVP_MD_CTX_free(context); }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
};

TraceHash::TraceHash() : digest_(std::make_unique<Digest>()) {}

TraceHash::~TraceHash() = default;

void TraceHash::add_event(Time at, std::string_view host, const Event& event) {
  put(static_cast<uint64_t>(at.time_since_epoch().count()));
  put(host);
  put(event.kind);
  put(event.subject);
  for (const Field& field : event.fields) {
    put(field.key);
    put(static_cast<uint64_t>(field.value.index()));
    if (const auto* number = std::get_if<int64_t>(&field.value)) put(static_cast<uint64_t>(*number));
    if (const auto* real = std::get_if<double>(&field.value)) put(std::bit_cast<uint64_t>(*real));
    if (const auto* text = std::get_if<std::string>(&field.value)) put(*text);
  }
  flush();
}

void TraceHash::add_packet(Time at, std::string_view machine, uint32_t bytes) {
  put(static_cast<uint64_t>(at.time_since_epoch().count()));
  put(machine);
  put(bytes);
  flush();
}

std::string TraceHash::finish() {
  EVP_DigestUpdate(digest_->context, buffer_.data(), buffer_.size());
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  EVP_DigestFinal_ex(digest_->context, hash.data(), &size);
  assert(size >= 16);
  std::string text;
  for (size_t i = 0; i < 16; ++i) text += fmt::format("{:02x}", hash[i]);
  return text;
}

void TraceHash::put(std::string_view text) {
  put(static_cast<uint64_t>(text.size()));
  buffer_ += text;
}

void TraceHash::put(uint64_t value) {
  for (int i = 0; i < 8; ++i, value >>= 8) buffer_ += static_cast<char>(value & 0xff);
}

void TraceHash::flush() {
  if (buffer_.size() < 65536) return;
  EVP_DigestUpdate(digest_->context, buffer_.data(), buffer_.size());
  buffer_.clear();
}

}  // namespace distlab::sim

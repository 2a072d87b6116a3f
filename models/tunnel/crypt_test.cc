#include "models/tunnel/crypt.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace distlab::tunnel {
namespace {

using Raw = std::vector<uint8_t>;

std::string hex(Bytes bytes) {
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}
Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
Raw raw(Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}
Nonce counting_nonce() {
  Nonce nonce;
  for (size_t i = 0; i < nonce.size(); ++i) nonce[i] = uint8_t(i);
  return nonce;
}

TEST(Crypt, TheKeyComesFromTheCookie) {
  // Computed with Python's hashlib.
  EXPECT_EQ(hex(tunnel_key("s3cret")), "160a6065c9f8865cbfffe78f43e296ef803fd6a1737ad4bb760fb52213afa995");
}

TEST(Crypt, MessagesAreLaidOutAsTheFactsSay) {
  // nonce | tag | ciphertext; computed with AESGCM of Python's cryptography. The first is a tick: 4 bytes
  // become 32 (facts section 1.2 step 7).
  Cipher cipher(tunnel_key("s3cret"));
  const std::string tick(4, '\0');
  EXPECT_EQ(hex(cipher.seal(counting_nonce(), bytes_of(tick))),
            "000102030405060708090a0b8eeff7af99514682a712edd4e497b992832f1f1e");
  EXPECT_EQ(hex(cipher.seal(counting_nonce(), {})), "000102030405060708090a0bc1d5945b1a5a68dc12c337485f091b80");
  EXPECT_EQ(hex(cipher.seal(counting_nonce(), bytes_of("rex and a gen_server"))),
            "000102030405060708090a0bc794e4eea824ef76d7dff00dcce706b6f14a673e38905f6b8879b74e6429356bad519a76");
}

TEST(Crypt, AnotherCookieOpensNothing) {
  // Same message, other key.
  Cipher ours(tunnel_key("s3cret")), theirs(tunnel_key("secret"));
  const Raw message = raw(ours.seal(counting_nonce(), bytes_of("hello")));
  EXPECT_TRUE(ours.open(message));
  EXPECT_FALSE(theirs.open(message));
}

TEST(Crypt, WhatIsTooShortIsNoMessage) {
  // Every length below nonce and tag together.
  Cipher cipher(tunnel_key("c"));
  for (size_t size = 0; size < overhead; ++size) EXPECT_FALSE(cipher.open(Raw(size))) << size;
}

RC_GTEST_PROP(Crypt, EverythingComesBack, (const Raw& plaintext, const std::string& cookie)) {
  // One cipher for both ways, several messages in a row, each under another nonce.
  Cipher cipher(tunnel_key(cookie));
  Nonce nonce = counting_nonce();
  for (uint8_t i = 0; i < 3; ++i) {
    nonce[0] = i;
    const Raw message = raw(cipher.seal(nonce, plaintext));
    RC_ASSERT(message.size() == plaintext.size() + overhead);
    const auto opened = cipher.open(message);
    RC_ASSERT(opened.has_value());
    RC_ASSERT(raw(*opened) == plaintext);
  }
}

RC_GTEST_PROP(Crypt, EveryAlteredByteFails, (const Raw& plaintext)) {
  // At every place of the message, and so do a missing and an additional byte; the cipher still works
  // after each.
  Cipher cipher(tunnel_key("c"));
  const Raw message = raw(cipher.seal(counting_nonce(), plaintext));
  const auto change = *rc::gen::inRange(1, 256);
  for (size_t at = 0; at < message.size(); ++at) {
    Raw altered = message;
    altered[at] ^= uint8_t(change);
    RC_ASSERT(!cipher.open(altered));
  }
  Raw longer = message;
  longer.push_back(0);
  RC_ASSERT(!cipher.open(longer));
  RC_ASSERT(!cipher.open(Bytes(message).first(message.size() - 1)));
  RC_ASSERT(cipher.open(message).has_value());
}

}  // namespace
}  // namespace distlab::tunnel

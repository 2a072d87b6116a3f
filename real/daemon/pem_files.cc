#include "real/daemon/pem_files.h"

#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "scenarios/include.h"

namespace distlab::daemon {
namespace {

using std::chrono::system_clock;

tl::expected<std::string, std::string> read(const std::string& path) {
  auto text = scenario::read_file(path);
  if (!text) return tl::unexpected(fmt::format("{}: {}", path, text.error()));
  if (text->find("-----BEGIN ") == std::string::npos) return tl::unexpected(fmt::format("{}: not a PEM file", path));
  return std::move(*text);
}

struct FreeX509 {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

system_clock::time_point to_time(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  // Certificates may be valid until the year 9999; the clock's type ends in 2262.
  return system_clock::from_time_t(std::min<time_t>(::timegm(&parts), 9'000'000'000));
}

tl::expected<LoadedCertificate, std::string> describe(LoadedCertificate loaded, const std::string& path) {
  BIO* const memory = BIO_new_mem_buf(loaded.pem.data(), static_cast<int>(loaded.pem.size()));
  const std::unique_ptr<X509, FreeX509> first(PEM_read_bio_X509(memory, nullptr, nullptr, nullptr));
  BIO_free(memory);
  if (first == nullptr) return tl::unexpected(fmt::format("{}: no certificate in it", path));
  loaded.not_before = to_time(X509_get0_notBefore(first.get()));
  loaded.not_after = to_time(X509_get0_notAfter(first.get()));
  char name[256] = "";
  X509_NAME_oneline(X509_get_subject_name(first.get()), name, sizeof name);
  loaded.subject = name;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(first.get(), EVP_sha256(), digest, &size) != 1) size = 0;
  for (unsigned i = 0; i < size; ++i) loaded.fingerprint += fmt::format("{:02x}", digest[i]);
  return loaded;
}

}  // namespace

std::string LoadedCertificate::doubt(system_clock::time_point now) const {
  const auto date = [](system_clock::time_point at) {
    return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(system_clock::to_time_t(at)));
  };
  if (not_after < now) return "it expired on " + date(not_after);
  if (not_before > now) return "it is not valid before " + date(not_before);
  if (not_after < now + std::chrono::hours{24 * 7}) return "it expires on " + date(not_after);
  return "";
}

tl::expected<LoadedCertificate, std::string> load_certificate(const std::string& certificate_path,
                                                              const std::string& key_path) {
  auto certificate = read(certificate_path);
  if (!certificate) return tl::unexpected(certificate.error());
  auto key = read(key_path);
  if (!key) return tl::unexpected(key.error());
  auto credentials = quic::ServerCredentials::load({*certificate, std::move(*key)});
  if (!credentials) {
    return tl::unexpected(fmt::format("{} and {}: {}", certificate_path, key_path, credentials.error()));
  }
  return describe({std::move(*credentials), std::move(*certificate), "", "", {}, {}}, certificate_path);
}

tl::expected<LoadedCertificate, std::string> make_certificate(const std::string& name) {
  quic::Secret secret{};
  if (RAND_bytes(secret.data(), static_cast<int>(secret.size())) != 1)
    return tl::unexpected(std::string("no randomness"));
  quic::PemPair pair = quic::self_signed({name, {name, "localhost"}, false}, secret);
  auto credentials = quic::ServerCredentials::load(pair);
  if (!credentials) return tl::unexpected(credentials.error());
  return describe({std::move(*credentials), std::move(pair.certificate), "", "", {}, {}}, "self-signed");
}

tl::expected<std::shared_ptr<const quic::ClientCredentials>, std::string> load_authorities(const std::string& path) {
  auto text = path.empty() ? tl::expected<std::string, std::string>(std::string()) : read(path);
  if (!text) return tl::unexpected(text.error());
  auto credentials = quic::ClientCredentials::load(*text);
  if (!credentials) return tl::unexpected(fmt::format("{}: {}", path, credentials.error()));
  return std::move(*credentials);
}

}  // namespace distlab::daemon

// Makes certificates with OpenSSL; the same request and secret give the same bytes.
#include <algorithm>
#include <cstdlib>
#include <span>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "models/quic/credentials.h"

namespace distlab::quic {
namespace {

template <auto FreeIt>
struct Free {
  template <typename Native>
  void operator()(Native* native) const {
    FreeIt(native);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;
using Memory = std::unique_ptr<BIO, Free<BIO_free>>;

// OpenSSL fails here only when memory runs out or our calls are wrong.
void must(bool done) {
  if (!done) std::abort();
}

Key key_of(const Secret& secret) {
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, secret.data(), secret.size()));
  must(key != nullptr);
  return key;
}

std::string text_of(const Memory& memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<size_t>(size)};
}

PemPair to_pem(X509* certificate, EVP_PKEY* key) {
  const Memory first(BIO_new(BIO_s_mem())), second(BIO_new(BIO_s_mem()));
  must(PEM_write_bio_X509(first.get(), certificate) == 1);
  must(PEM_write_bio_PKCS8PrivateKey(second.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return {text_of(first), text_of(second)};
}

// 16 bytes of a hash over what the certificate is for: fixed, of fixed length, no two alike.
void set_serial(X509* certificate, const Secret& secret, const CertificateRequest& request) {
  std::string text = "distlab certificate serial";
  text.append(reinterpret_cast<const char*>(secret.data()), secret.size());
  text += request.common_name;
  for (const std::string& name : request.dns_names) text += '\0' + name;
  text += request.expired ? '1' : '0';
  std::array<uint8_t, EVP_MAX_MD_SIZE> digest{};
  must(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  digest[0] = static_cast<uint8_t>((digest[0] & 0x3f) | 0x40);  // positive, no leading zero
  must(ASN1_STRING_set(X509_get_serialNumber(certificate), digest.data(), 16) == 1);
}

void set_validity(X509* certificate, bool expired) {
  must(ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), expired ? "20000101000000Z" : "20200101000000Z"));
  must(ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), expired ? "20010101000000Z" : "21200101000000Z"));
}

// At most 64 characters (RFC 5280 appendix A.1, ub-common-name). Nothing compares this name.
void set_common_name(X509_NAME* name, const std::string& text) {
  if (text.empty()) return;
  must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(text.data()),
                                  static_cast<int>(std::min<size_t>(text.size(), 64)), -1, 0) == 1);
}

void add_extension(X509* certificate, X509* issuer, int id, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, id, value));
  must(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

// Not by X509V3_EXT_conf_nid, whose syntax a name could break out of.
void add_names(X509* certificate, const std::vector<std::string>& dns_names) {
  if (dns_names.empty()) return;
  const Names names(sk_GENERAL_NAME_new_null());
  for (const std::string& text : dns_names) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    ASN1_IA5STRING* value = ASN1_IA5STRING_new();
    must(name != nullptr && value != nullptr);
    must(ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())) == 1);
    GENERAL_NAME_set0_value(name, GEN_DNS, value);
    must(sk_GENERAL_NAME_push(names.get(), name) > 0);
  }
  must(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1);
}

Certificate unsigned_certificate(const CertificateRequest& request, const Secret& secret, EVP_PKEY* key) {
  Certificate certificate(X509_new());
  must(certificate != nullptr && X509_set_version(certificate.get(), X509_VERSION_3) == 1);
  set_serial(certificate.get(), secret, request);
  set_validity(certificate.get(), request.expired);
  set_common_name(X509_get_subject_name(certificate.get()), request.common_name);
  must(X509_set_pubkey(certificate.get(), key) == 1);
  return certificate;
}

void sign(X509* certificate, const X509* issuer, EVP_PKEY* issuer_key) {
  must(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1);
  must(X509_sign(certificate, issuer_key, nullptr) > 0);
}

Certificate leaf(const CertificateRequest& request, const Secret& secret, EVP_PKEY* key) {
  Certificate certificate = unsigned_certificate(request, secret, key);
  add_extension(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate.get(), certificate.get(), NID_key_usage, "critical,digitalSignature");
  add_extension(certificate.get(), certificate.get(), NID_ext_key_usage,
                request.client ? "serverAuth,clientAuth" : "serverAuth");
  add_names(certificate.get(), request.dns_names);
  return certificate;
}

}  // namespace

Authority::Authority(std::string common_name, Secret secret) {
  const Key key = key_of(secret);
  const Certificate certificate = unsigned_certificate({std::move(common_name), {}, false}, secret, key.get());
  add_extension(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(certificate.get(), certificate.get(), NID_subject_key_identifier, "hash");
  sign(certificate.get(), certificate.get(), key.get());
  pem_ = to_pem(certificate.get(), key.get());
}

PemPair Authority::issue(const CertificateRequest& request, Secret secret) const {
  const Memory own_certificate(BIO_new_mem_buf(pem_.certificate.data(), static_cast<int>(pem_.certificate.size())));
  const Memory own_key(BIO_new_mem_buf(pem_.key.data(), static_cast<int>(pem_.key.size())));
  const Certificate issuer(PEM_read_bio_X509(own_certificate.get(), nullptr, nullptr, nullptr));
  const Key issuer_key(PEM_read_bio_PrivateKey(own_key.get(), nullptr, nullptr, nullptr));
  must(issuer != nullptr && issuer_key != nullptr);
  const Key key = key_of(secret);
  const Certificate certificate = leaf(request, secret, key.get());
  add_extension(certificate.get(), issuer.get(), NID_authority_key_identifier, "keyid:always");
  sign(certificate.get(), issuer.get(), issuer_key.get());
  return to_pem(certificate.get(), key.get());
}

PemPair self_signed(const CertificateRequest& request, Secret secret) {
  const Key key = key_of(secret);
  const Certificate certificate = leaf(request, secret, key.get());
  sign(certificate.get(), certificate.get(), key.get());
  return to_pem(certificate.get(), key.get());
}

}  // namespace distlab::quic

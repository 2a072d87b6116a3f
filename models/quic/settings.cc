#include "models/quic/settings.h"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace distlab::quic {
namespace {

// RFC 8446 section 6; no_application_protocol: RFC 7301.
constexpr std::array<std::pair<uint64_t, std::string_view>, 21> alerts{{
    {0, "close_notify"},
    {10, "unexpected_message"},
    {20, "bad_record_mac"},
    {40, "handshake_failure"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {49, "access_denied"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {109, "missing_extension"},
    {112, "unrecognized_name"},
    {116, "certificate_required"},
    {120, "no_application_protocol"},
}};

std::string_view alert_name(uint64_t alert) {
  for (const auto& [code, name] : alerts) {
    if (code == alert) return name;
  }
  return "unknown alert";
}

}  // namespace

std::string_view to_string(EndKind kind) {
  switch (kind) {
    case EndKind::local:
      return "local";
    case EndKind::application:
      return "application";
    case EndKind::transport:
      return "transport";
    case EndKind::tls:
      return "tls";
    case EndKind::idle:
      return "idle";
    case EndKind::handshake_timeout:
      return "handshake timeout";
    case EndKind::stateless_reset:
      return "stateless reset";
    case EndKind::refused:
      return "refused";
    case EndKind::version:
      return "version";
    case EndKind::host:
      return "host";
  }
  return "unknown";
}

std::string to_string(const End& end) {
  std::string text(to_string(end.kind));
  if (end.kind == EndKind::tls) {
    text += fmt::format(": {} (alert {})", alert_name(end.code), end.code);
  } else if (end.kind == EndKind::application || end.kind == EndKind::transport) {
    text += fmt::format(" {}", end.code);
  }
  if (!end.reason.empty()) text += ": " + end.reason;
  return text;
}

}  // namespace distlab::quic

#include "models/dist/flags.h"

#include <array>

#include <fmt/format.h>

#include "models/etf/term.h"

namespace distlab::dist {
namespace {

struct Named {
  Flags bit;
  std::string_view name;
};

constexpr std::array<Named, 29> names = {{
    {flag::published, "PUBLISHED"},
    {flag::atom_cache, "ATOM_CACHE"},
    {flag::extended_references, "EXTENDED_REFERENCES"},
    {flag::dist_monitor, "DIST_MONITOR"},
    {flag::fun_tags, "FUN_TAGS"},
    {flag::dist_monitor_name, "DIST_MONITOR_NAME"},
    {flag::hidden_atom_cache, "HIDDEN_ATOM_CACHE"},
    {flag::new_fun_tags, "NEW_FUN_TAGS"},
    {flag::extended_pids_ports, "EXTENDED_PIDS_PORTS"},
    {flag::export_ptr_tag, "EXPORT_PTR_TAG"},
    {flag::bit_binaries, "BIT_BINARIES"},
    {flag::new_floats, "NEW_FLOATS"},
    {flag::unicode_io, "UNICODE_IO"},
    {flag::dist_hdr_atom_cache, "DIST_HDR_ATOM_CACHE"},
    {flag::small_atom_tags, "SMALL_ATOM_TAGS"},
    {flag::utf8_atoms, "UTF8_ATOMS"},
    {flag::map_tag, "MAP_TAG"},
    {flag::big_creation, "BIG_CREATION"},
    {flag::send_sender, "SEND_SENDER"},
    {flag::big_seqtrace_labels, "BIG_SEQTRACE_LABELS"},
    {flag::exit_payload, "EXIT_PAYLOAD"},
    {flag::fragments, "FRAGMENTS"},
    {flag::handshake_23, "HANDSHAKE_23"},
    {flag::unlink_id, "UNLINK_ID"},
    {flag::mandatory_25_digest, "MANDATORY_25_DIGEST"},
    {flag::spawn, "SPAWN"},
    {flag::name_me, "NAME_ME"},
    {flag::v4_nc, "V4_NC"},
    {flag::alias, "ALIAS"},
}};

std::string name_of(Flags bit) {
  for (const auto& named : names) {
    if (named.bit == bit) return std::string(named.name);
  }
  return fmt::format("UNKNOWN<{:X}>", bit);
}

// Column at which io_lib:format's ~p breaks lines.
constexpr size_t line_length = 80;

// A list of strings as ~p prints it from this column on: one line if it fits, else one per line.
std::string print_list(const std::vector<std::string>& strings, size_t column) {
  size_t width = 2;
  for (const auto& s : strings) width += s.size() + 3;
  const bool fits = strings.size() <= 1 || column + width - 1 <= line_length;
  const std::string separator = fits ? "," : ",\n" + std::string(column + 1, ' ');
  std::string out = "[";
  for (size_t i = 0; i < strings.size(); ++i) out += fmt::format("{}\"{}\"", i == 0 ? "" : separator, strings[i]);
  return out + "]";
}

}  // namespace

Flags default_flags(bool visible) {
  const Flags all = otp_25_visible & ~flag::dist_hdr_atom_cache;
  return visible ? all : all & ~flag::published;
}

std::vector<std::string> flags_to_names(Flags flags) {
  std::vector<std::string> out;
  for (; flags != 0; flags &= flags - 1) out.push_back(name_of(flags & ~(flags - 1)));
  return out;
}

std::optional<Flags> parse_flag(std::string_view name) {
  constexpr std::string_view prefix = "DFLAG_";
  if (name.substr(0, prefix.size()) == prefix) name.remove_prefix(prefix.size());
  for (const auto& named : names) {
    if (named.name == name) return named.bit;
  }
  return std::nullopt;
}

Flags expand_mandatory_25(Flags flags) {
  return (flags & flag::mandatory_25_digest) != 0 ? flags | mandatory_25 : flags;
}

std::vector<std::string> check_mandatory(Flags peer_flags, Flags mandatory) {
  auto missing = flags_to_names(mandatory & ~peer_flags);
  return {missing.rbegin(), missing.rend()};
}

std::string missing_flags_log(std::string_view self, std::string_view peer, Direction direction,
                              const std::vector<std::string>& missing) {
  const bool incoming = direction == Direction::incoming;
  const std::string start =
      fmt::format("** {}: Connection attempt {} node {} {} since it cannot handle ", etf::atom(self).to_string(600),
                  incoming ? "from" : "to", etf::atom(peer).to_string(600), incoming ? "rejected" : "aborted");
  return start + print_list(missing, start.size()) + ".**";
}

}  // namespace distlab::dist

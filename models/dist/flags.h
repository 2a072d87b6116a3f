// Distribution flags: what a node says it can do, exchanged in the handshake.
//
// Source: OTP 25.2.3, kernel/include/dist.hrl and erts/emulator/beam/dist.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace distlab::dist {

using Flags = uint64_t;

namespace flag {
inline constexpr Flags published = 0x1;  // visible: appears in nodes()
inline constexpr Flags atom_cache = 0x2;
inline constexpr Flags extended_references = 0x4;
inline constexpr Flags dist_monitor = 0x8;
inline constexpr Flags fun_tags = 0x10;
inline constexpr Flags dist_monitor_name = 0x20;
inline constexpr Flags hidden_atom_cache = 0x40;
inline constexpr Flags new_fun_tags = 0x80;
inline constexpr Flags extended_pids_ports = 0x100;
inline constexpr Flags export_ptr_tag = 0x200;
inline constexpr Flags bit_binaries = 0x400;
inline constexpr Flags new_floats = 0x800;
inline constexpr Flags unicode_io = 0x1000;
inline constexpr Flags dist_hdr_atom_cache = 0x2000;
inline constexpr Flags small_atom_tags = 0x4000;
inline constexpr Flags utf8_atoms = 0x10000;
inline constexpr Flags map_tag = 0x20000;
inline constexpr Flags big_creation = 0x40000;
inline constexpr Flags send_sender = 0x80000;
inline constexpr Flags big_seqtrace_labels = 0x100000;
inline constexpr Flags exit_payload = 0x400000;
inline constexpr Flags fragments = 0x800000;
inline constexpr Flags handshake_23 = 0x1000000;
inline constexpr Flags unlink_id = 0x2000000;
inline constexpr Flags mandatory_25_digest = 0x4000000;  // stands for all of mandatory_25
inline constexpr Flags spawn = Flags{0x1} << 32;
inline constexpr Flags name_me = Flags{0x2} << 32;
inline constexpr Flags v4_nc = Flags{0x4} << 32;
inline constexpr Flags alias = Flags{0x8} << 32;
}  // namespace flag

// What an OTP release refuses to be without in a peer.
inline constexpr Flags mandatory_25 =
    flag::extended_references | flag::fun_tags | flag::extended_pids_ports | flag::new_fun_tags | flag::export_ptr_tag |
    flag::bit_binaries | flag::new_floats | flag::utf8_atoms | flag::map_tag | flag::big_creation | flag::handshake_23;
inline constexpr Flags mandatory_26 = mandatory_25 | flag::v4_nc | flag::unlink_id;
inline constexpr Flags mandatory_27 = mandatory_26 | flag::mandatory_25_digest;

// What a visible OTP 25 node announces (measured; facts otp-distribution.md section 3).
inline constexpr Flags otp_25_visible = 0xd07df7fbd;

// What our nodes announce: all of OTP 25's, less DIST_HDR_ATOM_CACHE (we keep no atom cache).
// Hidden leaves PUBLISHED out.
Flags default_flags(bool visible);

// Names as dist_util:dflag2str/1 prints them, lowest bit first; a bit without a name is "UNKNOWN<hex>".
std::vector<std::string> flags_to_names(Flags flags);
std::optional<Flags> parse_flag(std::string_view name);  // "UTF8_ATOMS", with or without "DFLAG_"

// dist_util:expand_mandatory_25_flag/1.
Flags expand_mandatory_25(Flags flags);

// Names of the mandatory flags that are missing, in the order in which dist_util:check_mandatory/3
// lists them (highest bit first). Expand the digest first, as dist_util does.
std::vector<std::string> check_mandatory(Flags peer_flags, Flags mandatory = mandatory_25);

enum class Direction { outgoing, incoming };  // who dialled: we, or the peer

// The whole line dist_util:check_dflags/2 logs:
//   ** 'a@h.x': Connection attempt to node 'b@h.x' aborted since it cannot handle ["UTF8_ATOMS"].**
std::string missing_flags_log(std::string_view self, std::string_view peer, Direction direction,
                              const std::vector<std::string>& missing);

}  // namespace distlab::dist

#include "models/dist/fragments.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "models/dist/framing.h"

namespace distlab::dist {
namespace {

// What stands behind the version byte (external.h).
constexpr uint8_t pass_through = 112;  // stands before it, in fact
constexpr uint8_t dist_header = 68;
constexpr uint8_t dist_frag_header = 69;
constexpr uint8_t dist_frag_cont = 70;

constexpr size_t frag_prefix = 1 + 1 + 8 + 8;  // version, kind, sequence, fragment
constexpr size_t max_dumped_bytes = 1000;      // of a bad frame in a log line; OTP prints them all

void put64(std::vector<uint8_t>& out, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(uint8_t(value >> shift));
}

uint64_t get64(Bytes bytes, size_t offset) {
  uint64_t value = 0;
  for (size_t i = 0; i < 8; ++i) value = value << 8 | bytes[offset + i];
  return value;
}

void append(std::vector<uint8_t>& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

Bytes without_version(const std::vector<uint8_t>& term) {
  return term.empty() ? Bytes{} : Bytes(term).subspan(1);
}

std::vector<uint8_t> start_frame(size_t length) {
  std::vector<uint8_t> frame;
  frame.reserve(4 + length);
  write_length(frame, length, HeaderSize::four);
  return frame;
}

// "<<131,68,...>>" as erts_dsprintf prints bytes; `start` is "<<" or "<<...,".
std::string dump(Bytes bytes, std::string_view start) {
  if (bytes.empty()) return ">>";
  auto out = fmt::format("{}{}", start, bytes[0]);
  const size_t shown = std::min(bytes.size(), max_dumped_bytes);
  for (size_t i = 1; i < shown; ++i) fmt::format_to(std::back_inserter(out), ",{}", bytes[i]);
  return out + (shown < bytes.size() ? ",..." : "") + ">>";
}

std::string printed(std::string_view node) {
  return etf::atom(node).to_string(600);
}

bool has_headers(Flags flags) {
  return (flags & (flag::dist_hdr_atom_cache | flag::fragments)) != 0;
}

// erts_kill_dist_connection without a word in the log.
tl::unexpected<Corruption> silent(std::string what) {
  return tl::unexpected(Corruption{std::move(what), {}, "killed", false});
}

std::vector<uint8_t> pass_through_frame(const EncodedMessage& message) {
  auto frame = start_frame(1 + message.control.size() + message.payload.size());
  frame.push_back(pass_through);
  append(frame, message.control);
  append(frame, message.payload);
  return frame;
}

std::vector<uint8_t> whole_frame(Bytes control, Bytes payload) {
  auto frame = start_frame(3 + control.size() + payload.size());
  frame.insert(frame.end(), {etf::version_magic, dist_header, 0});
  append(frame, control);
  append(frame, payload);
  return frame;
}

}  // namespace

std::vector<std::vector<uint8_t>> to_frames(const EncodedMessage& message, Flags flags, uint64_t sequence) {
  std::vector<std::vector<uint8_t>> frames;
  if (!has_headers(flags)) {
    frames.push_back(pass_through_frame(message));
    return frames;
  }
  const Bytes control = without_version(message.control);
  Bytes payload = without_version(message.payload);
  // The receiver reads the control message from the first fragment alone, so it is never cut.
  if ((flags & flag::fragments) == 0 || payload.empty() || control.size() + payload.size() <= fragment_size) {
    frames.push_back(whole_frame(control, payload));
    return frames;
  }

  assert(sequence != 0);
  const size_t first = control.size() < fragment_size ? fragment_size - control.size() : 0;
  uint64_t fragment = 1 + (payload.size() - first + fragment_size - 1) / fragment_size;
  frames.reserve(fragment);
  auto frame = start_frame(frag_prefix + 1 + control.size() + first);
  frame.insert(frame.end(), {etf::version_magic, dist_frag_header});
  put64(frame, sequence);
  put64(frame, fragment);
  frame.push_back(0);  // atom cache references
  append(frame, control);
  append(frame, payload.first(first));
  frames.push_back(std::move(frame));
  for (payload = payload.subspan(first); !payload.empty();
       payload = payload.subspan(std::min(fragment_size, payload.size()))) {
    const Bytes piece = payload.first(std::min(fragment_size, payload.size()));
    auto next = start_frame(frag_prefix + piece.size());
    next.insert(next.end(), {etf::version_magic, dist_frag_cont});
    put64(next, sequence);
    put64(next, --fragment);
    append(next, piece);
    frames.push_back(std::move(next));
  }
  assert(fragment == 1);
  return frames;
}

// external.c:bad_hdr.
tl::unexpected<Corruption> Assembler::corrupt_header(Bytes frame) const {
  return tl::unexpected(
      Corruption{"corrupted distribution header",
                 {fmt::format("{} got a corrupted distribution header from {} on distribution channel {}\n{}",
                              printed(names_.self), printed(names_.peer), names_.channel, dump(frame, "<<"))},
                 "killed",
                 true});
}

// external.c:bad_dist_ext.
tl::unexpected<Corruption> Assembler::corrupt_term(Bytes rest, std::string what) const {
  return tl::unexpected(
      Corruption{std::move(what),
                 {fmt::format("{} got a corrupted external term from {} on distribution channel {}\n{}\n"
                              "ATOM_CACHE_REF translations: none",
                              printed(names_.self), printed(names_.peer), names_.channel, dump(rest, "<<...,"))},
                 "killed",
                 true});
}

// external.c:erts_prepare_dist_ext.
Assembler::Outcome Assembler::on_frame(Bytes frame) {
  if (frame.empty()) return std::optional<Message>{};  // a tick
  const bool headers = has_headers(flags_);
  const Bytes body = headers ? frame : frame.subspan(1);  // the pass-through byte is skipped unseen
  if (body.size() < 2) return silent("frame too short");
  if (body[0] != etf::version_magic) {
    return tl::unexpected(Corruption{
        "no version byte", {fmt::format("** Got message from incompatible erlang on channel {}\n", names_.channel)}});
  }
  const uint8_t kind = body[1];
  const bool fragments = (flags_ & flag::fragments) != 0;
  if (kind != dist_header && kind != dist_frag_header && kind != dist_frag_cont) {
    if (headers) return corrupt_header(body);
    return on_terms(body, true);
  }
  if (!headers) return corrupt_header(body);
  if (kind == dist_header) {
    // We announce no atom cache, so there can be no references into it.
    if (body.size() < 3 || body[2] != 0) return corrupt_header(body);
    return on_terms(body.subspan(2), false);
  }
  if (!fragments) return corrupt_header(body);
  if (kind == dist_frag_cont) return on_next_fragment(body);
  if (body.size() < frag_prefix + 1 || body[frag_prefix] != 0) return corrupt_header(body);
  // Sequence 0 means "not fragmented" to ERTS (ede.data->seq_id).
  if (get64(body, 2) == 0) return on_terms(body.subspan(frag_prefix), false);
  return on_first_fragment(body);
}

// Control and payload behind each other; terms[0] stands in the place of a version byte.
Assembler::Outcome Assembler::on_terms(Bytes terms, bool versions) {
  if (versions) {
    const auto control = etf::decode(terms, limits_.terms);
    if (!control) return corrupt_term(terms, control.error().what);
    return deliver(control->term, terms.subspan(control->consumed));
  }
  // The codec wants a version byte before each term, which distribution headers leave out.
  std::vector<uint8_t> bytes(terms.begin(), terms.end());
  bytes[0] = etf::version_magic;
  if (bytes.size() > 1 && bytes[1] == etf::version_magic) return corrupt_term(terms.subspan(1), "version byte");
  const auto control = etf::decode(bytes, limits_.terms);
  if (!control) return corrupt_term(terms.subspan(1), control.error().what);
  if (control->consumed == bytes.size()) return deliver(control->term, {});
  if (bytes[control->consumed] == etf::version_magic) {
    return corrupt_term(terms.subspan(control->consumed), "version byte");
  }
  bytes[control->consumed - 1] = etf::version_magic;
  return deliver(control->term, Bytes(bytes).subspan(control->consumed - 1));
}

// `payload` starts with a version byte, or is empty. Bytes behind it are ignored, as ERTS does.
//
// ERTS decodes payloads only when the receiving process looks at them; here that happens at once, so
// a broken message to a process that does not exist kills the connection here and goes unnoticed
// there.
Assembler::Outcome Assembler::deliver(const Term& control, Bytes payload) {
  auto decoded = decode_control(control);
  if (decoded && !plausible(decoded->control, names_.self, names_.peer)) {
    decoded = tl::unexpected(fmt::format("Invalid distribution message: {}", control.to_string(200)));
  }
  if (!decoded) return tl::unexpected(Corruption{"invalid distribution message", {decoded.error()}});
  if (!decoded->payload_follows) return Message{std::move(decoded->control), std::move(decoded->reason)};
  const bool headers = has_headers(flags_);
  const Bytes shown = headers && !payload.empty() ? payload.subspan(1) : payload;
  if (payload.empty()) return corrupt_term(shown, "payload missing");
  auto term = etf::decode(payload, limits_.terms);
  if (!term) return corrupt_term(shown, term.error().what);
  return Message{std::move(decoded->control), std::move(term->term)};
}

// dist.c:erts_net_message, case ERTS_PREP_DIST_EXT_SUCCESS with a sequence.
Assembler::Outcome Assembler::on_first_fragment(Bytes frame) {
  const uint64_t sequence = get64(frame, 2);
  const uint64_t fragment = get64(frame, 10);
  const Bytes terms = frame.subspan(frag_prefix);  // its first byte counts the atom cache references
  if (sequences_.count(sequence) != 0) return silent("sequence started twice");
  if (fragment <= 1) return on_terms(terms, false);

  std::vector<uint8_t> bytes(terms.begin(), terms.end());
  bytes[0] = etf::version_magic;
  if (bytes.size() > 1 && bytes[1] == etf::version_magic) return corrupt_term(terms.subspan(1), "version byte");
  auto control = etf::decode(bytes, limits_.terms);
  if (!control) return corrupt_term(terms.subspan(1), control.error().what);
  if (sequences_.size() >= limits_.max_sequences) return silent("too many sequences");

  Sequence& entry = sequences_[sequence];
  entry.next_fragment = fragment - 1;
  entry.control = std::move(control->term);
  entry.payload.assign(bytes.begin() + ptrdiff_t(control->consumed) - 1, bytes.end());
  entry.payload[0] = etf::version_magic;
  bytes_ += entry.payload.size();
  if (bytes_ > limits_.max_bytes) return silent("too many bytes in fragments");
  return std::optional<Message>{};
}

Assembler::Outcome Assembler::on_next_fragment(Bytes frame) {
  // ERTS reads on behind a frame that is too short, and then knows no such sequence.
  if (frame.size() < frag_prefix) return silent("fragment too short");
  const auto found = sequences_.find(get64(frame, 2));
  if (found == sequences_.end()) return silent("fragment of an unknown sequence");
  Sequence& entry = found->second;
  if (entry.next_fragment != get64(frame, 10)) return silent("fragment out of order");
  const Bytes piece = frame.subspan(frag_prefix);
  append(entry.payload, piece);
  bytes_ += piece.size();
  if (bytes_ > limits_.max_bytes) return silent("too many bytes in fragments");
  if (--entry.next_fragment > 0) return std::optional<Message>{};

  const Sequence whole = std::move(entry);
  sequences_.erase(found);
  bytes_ -= whole.payload.size();
  const Bytes payload(whole.payload);
  if (payload.size() == 1) return deliver(whole.control, {});
  if (payload[1] == etf::version_magic) return corrupt_term(payload.subspan(1), "version byte");
  return deliver(whole.control, payload);
}

}  // namespace distlab::dist

// libei, the C library of OTP, as the oracle: what it writes we read, and what we write it reads.
#include <cstring>
#include <memory>

#include <ei.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "models/etf/codec.h"
#include "models/etf/testing/generators.h"

namespace distlab::etf {
namespace {

struct Buffer {
  ei_x_buff x{};
  Buffer() { ei_x_new_with_version(&x); }
  ~Buffer() { ei_x_free(&x); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  std::vector<uint8_t> bytes() const { return {x.buff, x.buff + x.index}; }
};

void put_atom(ei_x_buff& x, const std::string& text) {
  ei_x_encode_atom_len_as(&x, text.data(), static_cast<int>(text.size()), ERLANG_UTF8, ERLANG_UTF8);
}

void put(ei_x_buff& x, const Term& term);

void put_terms(ei_x_buff& x, const Terms& terms) {
  for (const Term& term : terms) put(x, term);
}

// Writes a term with libei, as far as libei has a function for it; bit strings and funs it takes
// from our own encoder.
void put(ei_x_buff& x, const Term& term) {
  if (const auto* v = term.as<int64_t>()) {
    ei_x_encode_longlong(&x, *v);
  } else if (const auto* d = term.as<double>()) {
    ei_x_encode_double(&x, *d);
  } else if (const auto* a = term.as<Atom>()) {
    put_atom(x, a->text);
  } else if (const auto* b = term.as<Bits>(); b != nullptr) {
    ei_x_encode_bitstring(&x, reinterpret_cast<const char*>(b->bytes.data()), 0,
                          b->bytes.empty() ? 0 : (b->bytes.size() - 1) * 8 + b->last_byte_bits);
  } else if (const auto* p = term.as<Pid>()) {
    erlang_pid pid{};
    std::strncpy(pid.node, p->node.c_str(), sizeof pid.node - 1);
    pid.num = p->id;
    pid.serial = p->serial;
    pid.creation = p->creation;
    ei_x_encode_pid(&x, &pid);
  } else if (const auto* r = term.as<Ref>()) {
    erlang_ref ref{};
    std::strncpy(ref.node, r->node.c_str(), sizeof ref.node - 1);
    ref.len = static_cast<int>(r->words.size());
    for (size_t i = 0; i < r->words.size(); ++i) ref.n[i] = r->words[i];
    ref.creation = r->creation;
    ei_x_encode_ref(&x, &ref);
  } else if (const auto* t = term.as<Tuple>()) {
    ei_x_encode_tuple_header(&x, static_cast<long>(t->elements->size()));
    put_terms(x, *t->elements);
  } else if (const auto* l = term.as<List>()) {
    if (!l->elements->empty()) ei_x_encode_list_header(&x, static_cast<long>(l->elements->size()));
    put_terms(x, *l->elements);
    if (l->tail != nullptr) {
      put(x, *l->tail);
    } else {
      ei_x_encode_empty_list(&x);
    }
  } else if (const auto* m = term.as<Map>()) {
    ei_x_encode_map_header(&x, static_cast<long>(m->pairs->size()));
    for (const auto& [key, value] : *m->pairs) {
      put(x, key);
      put(x, value);
    }
  } else {
    const std::vector<uint8_t> ours = encode(term);
    ei_x_append_buf(&x, reinterpret_cast<const char*>(ours.data()) + 1, static_cast<int>(ours.size()) - 1);
  }
}

// Every term libei writes is the term we read.
RC_GTEST_PROP(Libei, WeReadWhatItWrites, ()) {
  const Term term = *testing::term();
  Buffer buffer;
  put(buffer.x, term);
  const auto decoded = decode(buffer.bytes());
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(decoded->term == term);
}

// libei walks over every term we write, and stops exactly at its end.
RC_GTEST_PROP(Libei, ItReadsWhatWeWrite, ()) {
  const std::vector<uint8_t> bytes = encode(*testing::term());
  int index = 0, version = 0;
  const char* raw = reinterpret_cast<const char*>(bytes.data());
  RC_ASSERT(ei_decode_version(raw, &index, &version) == 0);
  RC_ASSERT(ei_skip_term(raw, &index) == 0);
  RC_ASSERT(static_cast<size_t>(index) == bytes.size());
}

// The values libei reads from our bytes are ours.
RC_GTEST_PROP(Libei, ItReadsOurValues, ()) {
  const auto number = *rc::gen::arbitrary<int64_t>();
  const Pid pid = *testing::pid();
  const auto real = *rc::gen::suchThat(rc::gen::arbitrary<double>(), [](double d) { return std::isfinite(d); });
  const std::vector<uint8_t> bytes = encode(tuple(Term(number), Term(pid), Term(real)));
  const char* raw = reinterpret_cast<const char*>(bytes.data());
  int index = 0, version = 0, arity = 0;
  long long got = 0;
  erlang_pid got_pid{};
  double got_real = 0;
  RC_ASSERT(ei_decode_version(raw, &index, &version) == 0);
  RC_ASSERT(ei_decode_tuple_header(raw, &index, &arity) == 0);
  RC_ASSERT(ei_decode_longlong(raw, &index, &got) == 0);
  RC_ASSERT(ei_decode_pid(raw, &index, &got_pid) == 0);
  RC_ASSERT(ei_decode_double(raw, &index, &got_real) == 0);
  RC_ASSERT(arity == 3);
  RC_ASSERT(got == number);
  RC_ASSERT(std::string(got_pid.node) == pid.node);
  RC_ASSERT(got_pid.num == pid.id);
  RC_ASSERT(got_pid.serial == pid.serial);
  RC_ASSERT(got_pid.creation == pid.creation);
  RC_ASSERT(got_real == real);
}

}  // namespace
}  // namespace distlab::etf

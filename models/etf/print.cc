#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include "models/etf/term.h"

namespace distlab::etf {
namespace {

// Writes a term as ~p does, on one line, and stops soon after the limit.
class Printer {
 public:
  explicit Printer(size_t limit) : limit_(limit) {}

  void term(const Term& term) {
    if (out_.size() > limit_) return;
    std::visit([this](const auto& value) { put(value); }, term.value());
  }
  std::string take() {
    if (out_.size() > limit_) {
      out_.resize(limit_);
      out_ += "...";
    }
    return std::move(out_);
  }

 private:
  void text(std::string_view s) { out_ += s; }

  static bool plain_atom(std::string_view name) {
    static constexpr std::array reserved{"after", "and",    "andalso", "band", "begin", "bnot", "bor",
                                         "bsl",   "bsr",    "bxor",    "case", "catch", "cond", "div",
                                         "end",   "fun",    "if",      "let",  "maybe", "not",  "of",
                                         "or",    "orelse", "receive", "rem",  "try",   "when", "xor"};
    if (name.empty() || name[0] < 'a' || name[0] > 'z') return false;
    if (std::find(reserved.begin(), reserved.end(), name) != reserved.end()) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '@';
    });
  }
  void quoted(std::string_view s, char quote) {
    out_ += quote;
    for (const char c : s) {
      if (c == quote || c == '\\') out_ += '\\';
      if (c == '\n') {
        text("\\n");
      } else if (static_cast<uint8_t>(c) < 32 || c == 127) {
        text(fmt::format("\\x{{{:X}}}", static_cast<uint8_t>(c)));
      } else {
        out_ += c;
      }
    }
    out_ += quote;
  }
  void atom(std::string_view name) {
    if (plain_atom(name)) {
      text(name);
    } else {
      quoted(name, '\'');
    }
  }
  void sequence(const Terms& terms) {
    for (size_t i = 0; i < terms.size() && out_.size() <= limit_; ++i) {
      if (i > 0) out_ += ',';
      term(terms[i]);
    }
  }

  void put(int64_t value) { text(std::to_string(value)); }
  void put(double value) {
    std::string s = fmt::format("{}", value);
    if (s.find_first_of(".e") == std::string::npos) s += ".0";
    text(s);
  }
  void put(const Atom& value) { atom(value.text); }
  void put(const BigInt& value) {  // in hexadecimal: decimal would need a bignum library for a log line
    text(value.negative ? "-16#" : "16#");
    for (size_t i = value.magnitude.size(); i-- > 0 && out_.size() <= limit_;)
      text(fmt::format("{:02X}", value.magnitude[i]));
  }
  void put(const Bits& value) {
    const bool printable =
        value.last_byte_bits == 8 && !value.bytes.empty() &&
        std::all_of(value.bytes.begin(), value.bytes.end(), [](uint8_t c) { return c >= 32 && c < 127; });
    text("<<");
    if (printable) {
      const size_t shown = std::min(value.bytes.size(), limit_);
      quoted({reinterpret_cast<const char*>(value.bytes.data()), shown}, '"');
    } else {
      for (size_t i = 0; i < value.bytes.size() && out_.size() <= limit_; ++i) {
        if (i > 0) out_ += ',';
        const bool last = i + 1 == value.bytes.size() && value.last_byte_bits < 8;
        text(std::to_string(last ? value.bytes[i] >> (8 - value.last_byte_bits) : value.bytes[i]));
        if (last) text(fmt::format(":{}", value.last_byte_bits));
      }
    }
    text(">>");
  }
  // Erlang shows a node as the number of its atom; the name says more.
  void put(const Pid& value) { text(fmt::format("<{}.{}.{}>", value.node, value.id, value.serial)); }
  void put(const Port& value) { text(fmt::format("#Port<{}.{}>", value.node, value.id)); }
  void put(const Ref& value) {
    text(fmt::format("#Ref<{}", value.node));
    for (size_t i = value.words.size(); i-- > 0;) text(fmt::format(".{}", value.words[i]));
    text(">");
  }
  void put(const Tuple& value) {
    text("{");
    sequence(*value.elements);
    text("}");
  }
  static bool printable(const List& value) {
    return value.tail == nullptr && !value.elements->empty() &&
           std::all_of(value.elements->begin(), value.elements->end(), [](const Term& element) {
             const auto* c = element.as<int64_t>();
             return c != nullptr && *c >= 32 && *c < 127;
           });
  }
  void put(const List& value) {
    if (printable(value)) {
      std::string s;
      for (const Term& element : *value.elements) s += static_cast<char>(*element.as<int64_t>());
      return quoted(s, '"');
    }
    text("[");
    sequence(*value.elements);
    if (value.tail != nullptr) {
      text("|");
      term(*value.tail);
    }
    text("]");
  }
  void put(const Map& value) {
    text("#{");
    bool first = true;
    for (const auto& [key, mapped] : *value.pairs) {
      if (out_.size() > limit_) break;
      if (!first) out_ += ',';
      first = false;
      term(key);
      text(" => ");
      term(mapped);
    }
    text("}");
  }
  void put(const Export& value) {
    text("fun ");
    atom(value.module);
    text(":");
    atom(value.function);
    text(fmt::format("/{}", value.arity));
  }
  void put(const Fun& value) { text(fmt::format("#Fun<{}.{}.{}>", value.module, value.old_index, value.old_uniq)); }

  size_t limit_;
  std::string out_;
};

}  // namespace

std::string Term::to_string(size_t limit) const {
  Printer printer(limit);
  printer.term(*this);
  return printer.take();
}

}  // namespace distlab::etf

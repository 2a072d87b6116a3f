#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "models/etf/term.h"

namespace distlab::etf {
namespace {

// What io_lib:printable_latin1_list/1 calls printable, as far as it is ASCII.
bool is_printable(int64_t c) {
  return (c >= 32 && c < 127) || (c >= 8 && c <= 13) || c == 27;
}

// Magnitude in decimal, for integers of moderate size: repeated division by 10^9.
std::string decimal(std::vector<uint8_t> magnitude) {
  std::string digits;  // the last first
  while (!magnitude.empty()) {
    uint64_t rest = 0;
    for (size_t i = magnitude.size(); i-- > 0;) {
      rest = rest << 8 | magnitude[i];
      magnitude[i] = static_cast<uint8_t>(rest / 1'000'000'000);
      rest %= 1'000'000'000;
    }
    while (!magnitude.empty() && magnitude.back() == 0) magnitude.pop_back();
    for (int i = 0; i < 9 && (!magnitude.empty() || rest != 0); ++i, rest /= 10) {
      digits += static_cast<char>('0' + rest % 10);
    }
  }
  std::reverse(digits.begin(), digits.end());
  return digits;
}

// As float_to_list(F, [short]): the fewest digits that read back as the same number, scientific
// where that is shorter or where not every integer is a float any more.
std::string shortest(double value) {
  std::array<char, 32> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::fabs(value), std::chars_format::scientific).ptr;
  const std::string_view text(buffer.data(), static_cast<size_t>(end - buffer.data()));  // d.ddde+xx
  const size_t e = text.find('e');
  std::string digits(text.substr(0, 1));
  if (e > 2) digits += text.substr(2, e - 2);
  int exponent = 0;
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), end, exponent);

  const std::string sign = std::signbit(value) ? "-" : "";
  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;  // digits before the decimal point
  const std::string power = std::to_string(exponent);
  const int power_cost = static_cast<int>(power.size()) + (count == 1 ? 3 : 2);
  const bool small_enough = std::fabs(value) < 0x1p53;
  if (point > 0 && point < count && small_enough) {
    return sign + digits.substr(0, static_cast<size_t>(point)) + "." + digits.substr(static_cast<size_t>(point));
  }
  if (point >= count && point - count + 2 <= power_cost && small_enough) {
    return sign + digits + std::string(static_cast<size_t>(point - count), '0') + ".0";
  }
  if (value == 0) return sign + "0.0";
  if (point <= 0 && 2 - point <= power_cost)
    return sign + "0." + std::string(static_cast<size_t>(-point), '0') + digits;
  return sign + digits.substr(0, 1) + "." + (count == 1 ? "0" : digits.substr(1)) + "e" + power;
}

// Writes a term as ~0p does and stops soon after the limit.
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
    static constexpr std::array reserved{"after", "and",  "andalso", "band",   "begin",   "bnot", "bor", "bsl",  "bsr",
                                         "bxor",  "case", "catch",   "cond",   "div",     "end",  "fun", "if",   "let",
                                         "not",   "of",   "or",      "orelse", "receive", "rem",  "try", "when", "xor"};
    if (name.empty() || name[0] < 'a' || name[0] > 'z') return false;
    if (std::find(reserved.begin(), reserved.end(), name) != reserved.end()) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '@';
    });
  }
  void quoted(std::string_view s, char quote) {
    out_ += quote;
    for (const char c : s) {
      constexpr std::string_view escaped = "\b\t\n\v\f\r\x1b\x7f", letters = "btnvfred";
      if (c == quote || c == '\\') {
        out_ += {'\\', c};
      } else if (const size_t at = escaped.find(c); at != std::string_view::npos) {
        out_ += {'\\', letters[at]};
      } else if (static_cast<uint8_t>(c) < 32) {
        text(fmt::format("\\{:03o}", static_cast<uint8_t>(c)));
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
  void put(double value) { text(shortest(value)); }
  void put(const Atom& value) { atom(value.text); }
  void put(const BigInt& value) {
    if (value.negative) out_ += '-';
    if (value.magnitude.size() <= 256) return text(decimal(value.magnitude));
    text("16#");  // decimal takes quadratic time, for more digits than anybody asked for
    for (size_t i = value.magnitude.size(); i-- > 0 && out_.size() <= limit_;)
      text(fmt::format("{:02X}", value.magnitude[i]));
  }
  void put(const Bits& value) {
    const bool printable = value.last_byte_bits == 8 && !value.bytes.empty() &&
                           std::all_of(value.bytes.begin(), value.bytes.end(), is_printable);
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
             return c != nullptr && is_printable(*c);
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
  void put(const Fun& value) {
    text(fmt::format("#Fun<{}.{}.{}>", value.module, value.old_index, static_cast<int32_t>(value.old_uniq)));
  }

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

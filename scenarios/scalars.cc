#include "scenarios/scalars.h"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace distlab::scenario {
namespace {

constexpr std::string_view number_pattern = "[0-9]+(\\.[0-9]+)?";
constexpr std::string_view name_pattern = "[A-Za-z][A-Za-z0-9_]*(\\{i(:0[1-9])?\\}[A-Za-z0-9_]*)*";
constexpr std::string_view glob_pattern = "[A-Za-z*][A-Za-z0-9_*]*";

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_word(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

template <typename Parser>
std::string error_of(const Parser& parser, std::string_view text) {
  const auto parsed = parser(text);
  return parsed ? "" : parsed.error();
}

Shape scalar(std::string what, std::string pattern, std::string (*check)(std::string_view)) {
  Shape shape;
  shape.what = std::move(what);
  shape.pattern = "^" + std::move(pattern) + "$";
  shape.check = check;
  return shape;
}

std::string check_glob(std::string_view text) {
  bool valid = !text.empty() && (is_letter(text.front()) || text.front() == '*');
  for (const char c : text) valid = valid && (is_word(c) || c == '*');
  return valid ? "" : fmt::format("expected a node, or several as in n*, not '{}'", text);
}

std::string check_pair(std::string_view text) {
  const auto arrow = parse_arrow(text);
  if (!arrow || !check_glob(arrow->left).empty() || !check_glob(arrow->right).empty())
    return fmt::format("expected a pair of nodes as in 'alice -> bob' or 'alice <-> bob', not '{}'", text);
  return "";
}

// erlang's long names: without a dot in the host inet_tcp_dist refuses to dial (facts section 1).
std::string check_erlang_name(std::string_view text) {
  const size_t at = text.find('@');
  const std::string_view alive = text.substr(0, at);
  const std::string_view host = at == std::string_view::npos ? "" : text.substr(at + 1);
  const auto valid = [](std::string_view part, bool dots) {
    for (const char c : part)
      if (!is_word(c) && c != '-' && !(dots && c == '.')) return false;
    return !part.empty();
  };
  if (!valid(alive, false) || !valid(host, true))
    return fmt::format("expected a node name like alice@home.example, not '{}'", text);
  if (text.size() > 255) return "a node name has at most 255 characters";
  if (host.find('.') == std::string_view::npos || host.front() == '.' || host.back() == '.')
    return fmt::format("the host of a long node name needs a dot inside, as in alice@home.example: '{}'", text);
  return "";
}

std::string check_link(std::string_view text) {
  const auto link = parse_link(text);
  if (!link || !check_site_or_node(link->left).empty() ||
      (!link->right.empty() && !check_site_or_node(link->right).empty()))
    return fmt::format("expected a link (home, home-office or home -> office), not '{}'", text);
  return "";
}

std::string check_one_way(std::string_view text) {
  const auto link = parse_link(text);
  return link && link->one_way && check_link(text).empty() ? ""
                                                           : fmt::format("expected 'home -> office', not '{}'", text);
}

constexpr std::array<std::pair<std::string_view, Compare>, 7> operators{{{"<=", Compare::less_equal},
                                                                         {">=", Compare::greater_equal},
                                                                         {"==", Compare::equal},
                                                                         {"!=", Compare::not_equal},
                                                                         {"<", Compare::less},
                                                                         {">", Compare::greater},
                                                                         {"=", Compare::equal}}};

}  // namespace

std::string check_site_or_node(std::string_view name) {
  bool valid = !name.empty() && is_letter(name.front()) && name.size() <= 64;
  for (const char c : name) valid = valid && is_word(c);
  return valid ? ""
               : fmt::format("a name begins with a letter and has letters, digits and '_' (64 at most): '{}'", name);
}

Shape text_shape(std::string what) {
  Shape shape;
  shape.what = std::move(what);
  return shape;
}

Shape duration_shape() {
  return scalar("a duration", fmt::format("{}(ns|us|ms|s|m|h)", number_pattern),
                [](std::string_view text) { return error_of(parse_duration, text); });
}

Shape time_shape() {
  const std::string one = fmt::format("{}(ns|us|ms|s|m|h)", number_pattern);
  return scalar("a duration or range", fmt::format("{0}(\\.\\.{0})?", one),
                [](std::string_view text) { return error_of(parse_time_range, text); });
}

Shape timeout_shape() {
  return scalar(
      "a duration or infinity", fmt::format("({}(ns|us|ms|s|m|h)|infinity)", number_pattern),
      [](std::string_view text) { return text == "infinity" ? std::string() : error_of(parse_duration, text); });
}

Shape rate_shape() {
  return scalar("a rate", fmt::format("({}([kMG]?bit|([kMG]|[KMG]i)?B)/s|unlimited)", number_pattern),
                [](std::string_view text) { return error_of(parse_rate, text); });
}

Shape size_shape() {
  return scalar("a size", fmt::format("{}([kMG]|[KMG]i)?B", number_pattern),
                [](std::string_view text) { return error_of(parse_size, text); });
}

Shape ratio_shape() {
  Shape shape = scalar("a ratio", fmt::format("{}%?", number_pattern),
                       [](std::string_view text) { return error_of(parse_ratio, text); });
  shape.number = true;
  return shape;
}

Shape factor_shape() {
  Shape shape = scalar("a factor", std::string(number_pattern),
                       [](std::string_view text) { return error_of(parse_factor, text); });
  shape.number = true;
  shape.number_low = 1;
  shape.number_high = 1'000'000;
  return shape;
}

Shape frequency_shape() {
  return scalar("how often", fmt::format("{}/[smh]", number_pattern),
                [](std::string_view text) { return error_of(parse_frequency, text); });
}

Shape boolean_shape() {
  Shape shape;
  shape.what = "true or false";
  shape.boolean = true;
  shape.check = [](std::string_view text) { return error_of(parse_boolean, text); };
  return shape;
}

Shape integer_shape(int64_t low, int64_t high) {
  Shape shape;
  shape.what = high == std::numeric_limits<int64_t>::max() ? fmt::format("a whole number from {}", low)
                                                           : fmt::format("a whole number, {} to {}", low, high);
  shape.integer = true;
  shape.low = low;
  shape.high = high;
  return shape;
}

Shape choice_shape(std::string what, std::vector<std::string> choices) {
  Shape shape;
  shape.what = std::move(what);
  shape.choices = std::move(choices);
  return shape;
}

Shape node_shape_name() {
  return scalar("a node", std::string(name_pattern), check_site_or_node);
}
Shape pattern_shape() {
  return scalar("a node or n*", std::string(glob_pattern), check_glob);
}
Shape pair_shape() {
  return scalar("a pair", fmt::format("{0} *<?-> *{0}", glob_pattern), check_pair);
}
Shape erlang_name_shape() {
  return scalar("a node name", "[A-Za-z0-9_:{}-]+@[A-Za-z0-9_:{}-]+(\\.[A-Za-z0-9_:{}-]+)+", check_erlang_name);
}
Shape link_shape() {
  return scalar("a link", "[A-Za-z][A-Za-z0-9_]*( *->? *[A-Za-z][A-Za-z0-9_]*)?", check_link);
}
Shape one_way_shape() {
  return scalar("a direction", "[A-Za-z][A-Za-z0-9_]* *-> *[A-Za-z][A-Za-z0-9_]*", check_one_way);
}

std::optional<Arrow> parse_arrow(std::string_view text) {
  const size_t at = text.find("->");
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  Arrow arrow;
  arrow.both = text[at - 1] == '<';
  arrow.left = trim(text.substr(0, arrow.both ? at - 1 : at));
  arrow.right = trim(text.substr(at + 2));
  if (arrow.left.empty() || arrow.right.empty()) return std::nullopt;
  return arrow;
}

std::optional<LinkText> parse_link(std::string_view text) {
  const size_t at = text.find('-');
  LinkText link;
  link.left = trim(text.substr(0, at));
  if (at != std::string_view::npos) {
    link.one_way = text.substr(at, 2) == "->";
    link.right = trim(text.substr(at + (link.one_way ? 2 : 1)));
    if (link.right.empty()) return std::nullopt;
  }
  if (link.left.empty()) return std::nullopt;
  return link;
}

Shape comparison_shape(Quantity quantity) {
  const std::string op = "(<=|>=|==?|!=|<|>)? *";
  Shape shape;
  switch (quantity) {
    case Quantity::count:
      shape = scalar("a comparison with a number", op + "[0-9]+", [](std::string_view text) {
        return error_of([](auto t) { return parse_condition(t, Quantity::count); }, text);
      });
      shape.integer = true;
      break;
    case Quantity::duration:
      shape = scalar("a comparison with a duration", op + fmt::format("{}(ns|us|ms|s|m|h)", number_pattern),
                     [](std::string_view text) {
                       return error_of([](auto t) { return parse_condition(t, Quantity::duration); }, text);
                     });
      break;
    case Quantity::count_or_share:
      shape = scalar("a comparison with a number or share", op + fmt::format("([0-9]+|{}%)", number_pattern),
                     [](std::string_view text) {
                       return error_of([](auto t) { return parse_condition(t, Quantity::count_or_share); }, text);
                     });
      shape.integer = true;
      break;
    case Quantity::field:
      shape.what = "a text, or a comparison with a number or duration";
      shape.number = shape.boolean = true;
      break;
  }
  // A plain number is a number to YAML; the check reads its text all the same.
  return shape;
}

Parsed<Condition> parse_condition(std::string_view text, Quantity quantity) {
  Condition condition;
  condition.text = text;
  std::string_view operand = trim(text);
  for (const auto& [spelling, op] : operators) {
    if (operand.substr(0, spelling.size()) != spelling) continue;
    condition.op = op;
    operand = trim(operand.substr(spelling.size()));
    break;
  }
  condition.operand = operand;
  const auto duration = [&]() -> Parsed<double> {
    return parse_duration(operand).map([](Duration d) { return std::chrono::duration<double>(d).count(); });
  };
  const auto count = [&]() -> Parsed<double> {
    return parse_integer(operand, 0, int64_t{1} << 53).map([](int64_t n) { return static_cast<double>(n); });
  };
  Parsed<double> value = 0;
  switch (quantity) {
    case Quantity::count:
      value = count();
      break;
    case Quantity::duration:
      value = duration();
      break;
    case Quantity::count_or_share:
      value = is_share(condition) ? parse_ratio(operand) : count();
      break;
    case Quantity::field:
      // Text when it is nothing else; then only equality makes sense, which the builder checks.
      value = duration();
      if (!value) value = count();
      if (!value) value = 0;
      break;
  }
  if (!value) return tl::unexpected(value.error());
  condition.value = *value;
  return condition;
}

bool is_share(const Condition& condition) {
  return !condition.operand.empty() && condition.operand.back() == '%';
}

}  // namespace distlab::scenario

#include "scenarios/document.h"

#include <algorithm>
#include <exception>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/node/node.h>  // parser.h declares it, and clang-tidy would take it for ours
#include <yaml-cpp/parser.h>

namespace distlab::scenario {
namespace {

// Ends the parse from inside yaml-cpp; never leaves this file.
struct Stop : std::exception {
  explicit Stop(Diagnostic what_is_wrong) : diagnostic(std::move(what_is_wrong)) {}
  Diagnostic diagnostic;
};

// Levels of lists and maps; 0 of a scalar.
size_t depth_of(const Value& value) {
  size_t below = 0;
  for (const Value& item : value.items) below = std::max(below, depth_of(item));
  for (const Member& member : value.members) below = std::max(below, depth_of(member.value));
  return value.is_list() || value.is_map() ? below + 1 : 0;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& file, std::vector<Diagnostic>& also_wrong)
      : file_(std::make_shared<const std::string>(file)), also_wrong_(also_wrong) {}

  Value& root() { return root_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) stop(mark, "a second document begins here; a scenario file holds one");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add({}, mark, anchor); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    refuse_tag(mark, tag);
    Value value;
    value.kind = Value::Kind::scalar;
    value.text = text;
    add(std::move(value), mark, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) stop(mark, "this alias stands inside the value it stands for");
    const size_t values = count_values(found->second);
    if (levels_.size() + depth_of(found->second) > max_depth) too_deep(mark);
    // The copy keeps the places of the original: that is where a mistake is mended.
    spend(mark, values);
    place_value(Value(found->second), mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Value::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Value::Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    Value value;
    YAML::anchor_t anchor = 0;
    std::optional<Member> pending;  // of a map: the key, until its value is there
    std::set<std::string> keys;
    bool duplicate = false;  // the pending key was there before
  };

  Mark mark_of(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }

  [[noreturn]] void stop(const YAML::Mark& mark, std::string message) const {
    throw Stop({mark_of(mark).place(), std::move(message)});
  }

  [[noreturn]] void too_deep(const YAML::Mark& mark) const {
    stop(mark, fmt::format("nested more than {} levels deep", max_depth));
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (!tag.empty() && tag != "?" && tag != "!") stop(mark, "YAML tags are not used in scenarios");
  }

  void spend(const YAML::Mark& mark, size_t values) {
    spent_ += values;
    if (spent_ > max_values)
      stop(mark, fmt::format("more than {} values, counting what aliases stand for", max_values));
  }

  void add(Value value, const YAML::Mark& mark, YAML::anchor_t anchor) {
    value.mark = mark_of(mark);
    spend(mark, 1);
    keep(anchor, value, mark);
    place_value(std::move(value), mark);
  }

  void keep(YAML::anchor_t anchor, const Value& value, const YAML::Mark& mark) {
    if (anchor == 0) return;
    spend(mark, count_values(value));
    anchors_.insert_or_assign(anchor, value);
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Value::Kind kind) {
    refuse_tag(mark, tag);
    if (levels_.size() >= max_depth) too_deep(mark);
    spend(mark, 1);
    Level level;
    level.value.kind = kind;
    level.value.mark = mark_of(mark);
    level.anchor = anchor;
    levels_.push_back(std::move(level));
  }

  void close() {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    const YAML::Mark mark = [&] {
      YAML::Mark at;
      at.line = level.value.mark.line - 1;
      at.column = level.value.mark.column - 1;
      return at;
    }();
    keep(level.anchor, level.value, mark);
    place_value(std::move(level.value), mark);
  }

  // Puts a finished value where the parse stands.
  void place_value(Value value, const YAML::Mark& mark) {
    if (levels_.empty()) {
      root_ = std::move(value);
      return;
    }
    Level& level = levels_.back();
    if (level.value.is_list()) {
      level.value.items.push_back(std::move(value));
    } else if (!level.pending) {
      begin_member(level, value, mark);
    } else {
      // yaml-cpp finds out that there is nothing when it sees what comes next.
      if (value.kind == Value::Kind::null) value.mark = level.pending->mark;
      level.pending->value = std::move(value);
      if (!level.duplicate) level.value.members.push_back(std::move(*level.pending));
      level.pending.reset();
    }
  }

  void begin_member(Level& level, Value& key, const YAML::Mark& mark) {
    if (!key.is_scalar()) stop(mark, fmt::format("a key is text, not {}", kind_name(key.kind)));
    level.duplicate = !level.keys.insert(key.text).second;
    if (level.duplicate && also_wrong_.size() <= max_diagnostics) {
      const Member* first = level.value.find(key.text);
      also_wrong_.push_back({mark_of(mark).place(),
                             fmt::format("key '{}' stands here twice (first in line {})", key.text, first->mark.line)});
    }
    level.pending = Member{std::move(key.text), mark_of(mark), {}};
  }

  std::shared_ptr<const std::string> file_;
  std::vector<Diagnostic>& also_wrong_;
  int documents_ = 0;
  size_t spent_ = 0;
  std::vector<Level> levels_;
  std::map<YAML::anchor_t, Value> anchors_;
  Value root_;
};

// The length of the UTF-8 sequence at the front, or 0 when it is none (RFC 3629, section 4).
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto tail = [&](size_t i) { return byte(i) >= 0x80 && byte(i) <= 0xBF; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool bad = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F);
    return tail(1) && tail(2) && !bad ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool bad = (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F);
    return tail(1) && tail(2) && tail(3) && !bad ? 4 : 0;
  }
  return 0;
}

// yaml-cpp guesses at UTF-16 and takes NUL for the end; we take neither.
std::optional<Diagnostic> check_bytes(std::string_view text, const std::string& file) {
  if (text.size() > max_file_size) return Diagnostic{{file, 0, 0}, std::string(too_large)};
  int line = 1, column = 1;
  for (size_t i = 0; i < text.size();) {
    const size_t length = utf8_length(text.substr(i));
    if (length == 0) return Diagnostic{{file, line, column}, "not UTF-8 text"};
    if (text[i] == '\0') return Diagnostic{{file, line, column}, "a NUL byte; a scenario is text"};
    ++column;
    if (text[i] == '\n') {
      ++line;
      column = 1;
    }
    i += length;
  }
  return std::nullopt;
}

}  // namespace

const Member* Value::find(std::string_view key) const {
  const auto found = std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.key == key; });
  return found == members.end() ? nullptr : &*found;
}

Member* Value::find(std::string_view key) {
  return const_cast<Member*>(std::as_const(*this).find(key));
}

const Value* Value::get(std::string_view key) const {
  const Member* member = find(key);
  return member == nullptr ? nullptr : &member->value;
}

void Value::erase(std::string_view key) {
  std::erase_if(members, [&](const Member& m) { return m.key == key; });
}

Value make_scalar(std::string text, Mark mark) {
  Value value;
  value.kind = Value::Kind::scalar;
  value.text = std::move(text);
  value.mark = std::move(mark);
  return value;
}

size_t count_values(const Value& value) {
  size_t count = 1;
  for (const Value& item : value.items) count += count_values(item);
  for (const Member& member : value.members) count += count_values(member.value);
  return count;
}

std::string_view kind_name(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::null:
      return "nothing";
    case Value::Kind::scalar:
      return "text";
    case Value::Kind::list:
      return "a list";
    case Value::Kind::map:
      return "a map";
  }
  return "";
}

tl::expected<Value, Diagnostic> parse_yaml(std::string_view text, const std::string& file,
                                           std::vector<Diagnostic>& also_wrong) {
  if (auto wrong = check_bytes(text, file)) return tl::unexpected(*wrong);
  TreeBuilder builder(file, also_wrong);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop& stop) {
    return tl::unexpected(stop.diagnostic);
  } catch (const YAML::Exception& error) {
    return tl::unexpected(Diagnostic{{file, error.mark.line + 1, error.mark.column + 1}, error.msg});
  } catch (const std::exception& error) {  // what the standard library throws inside yaml-cpp
    return tl::unexpected(Diagnostic{{file, 0, 0}, fmt::format("not readable as YAML: {}", error.what())});
  }
  return std::move(builder.root());
}

tl::expected<Value, Diagnostic> parse_document(std::string_view text, const std::string& file,
                                               std::vector<Diagnostic>& also_wrong) {
  auto root = parse_yaml(text, file, also_wrong);
  if (!root) return root;
  if (root->kind == Value::Kind::null)
    return tl::unexpected(Diagnostic{{file, 0, 0}, "the file is empty; a scenario is a map"});
  if (!root->is_map())
    return tl::unexpected(
        Diagnostic{root->mark.place(), fmt::format("a scenario is a map, not {}", kind_name(root->kind))});
  return root;
}

}  // namespace distlab::scenario

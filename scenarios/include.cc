#include "scenarios/include.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace distlab::scenario {
namespace {

class Includer {
 public:
  Includer(const Resolver& resolve, Report& report) : resolve_(resolve), report_(report) {}

  Value read(std::string_view text, const std::string& name) {
    Value tree;
    bytes_ += text.size();
    if (bytes_ > max_file_size) {
      report_.add({{name, 0, 0}, std::string(too_large)});
      return tree;
    }
    std::vector<Diagnostic> also_wrong;
    auto parsed = parse_document(text, name, also_wrong);
    for (Diagnostic& one : also_wrong) report_.add(std::move(one));
    if (!parsed) {
      report_.add(parsed.error());
      return tree;
    }
    tree.kind = Value::Kind::map;
    tree.mark = parsed->mark;
    chain_.push_back(name);
    if (const Member* include = parsed->find("include")) include_all(*include, tree);
    chain_.pop_back();
    parsed->erase("include");
    merge(tree, std::move(*parsed));
    return tree;
  }

 private:
  void include_all(const Member& include, Value& tree) {
    if (include.value.is_scalar()) {
      include_one(include.value, tree);
    } else if (include.value.is_list()) {
      for (const Value& item : include.value.items) include_one(item, tree);
    } else {
      report_.add(include.value.mark, fmt::format("expected text or a list, not {}", kind_name(include.value.kind)));
    }
  }

  void include_one(const Value& item, Value& tree) {
    if (!item.is_scalar() || item.text.empty()) {
      report_.add(item.mark, "expected the name of a file");
      return;
    }
    const std::filesystem::path named(item.text);
    if (named.is_absolute()) {
      report_.add(item.mark, fmt::format("an included file is named relative to this one, not '{}'", item.text));
      return;
    }
    const std::string path = (std::filesystem::path(chain_.back()).parent_path() / named).lexically_normal().string();
    for (const std::string& open : chain_) {
      if (std::filesystem::path(open).lexically_normal() != path) continue;
      report_.add(item.mark, fmt::format("includes go in a circle: {}", chain_to(path)));
      return;
    }
    if (chain_.size() > max_include_depth) {
      report_.add(item.mark, fmt::format("includes nested more than {} deep: {}", max_include_depth, chain_to(path)));
      return;
    }
    if (++files_ > max_included_files) {
      report_.add(item.mark, fmt::format("more than {} included files", max_included_files));
      return;
    }
    const auto text = resolve_ ? resolve_(path) : tl::unexpected(std::string("there are no files here"));
    if (!text) {
      report_.add(item.mark, fmt::format("cannot read '{}': {}", path, text.error()));
      return;
    }
    Value included = read(*text, path);
    if (included.is_map()) merge(tree, std::move(included));
  }

  std::string chain_to(const std::string& path) const {
    std::string text;
    for (const std::string& name : chain_) text += name + " -> ";
    return text + path;
  }

  const Resolver& resolve_;
  Report& report_;
  std::vector<std::string> chain_;
  size_t files_ = 0;
  size_t bytes_ = 0;
};

}  // namespace

void merge(Value& base, Value over) {
  if (!base.is_map() || !over.is_map()) {
    base = std::move(over);
    return;
  }
  std::map<std::string, size_t, std::less<>> index;
  for (size_t i = 0; i < base.members.size(); ++i) index.emplace(base.members[i].key, i);
  for (Member& member : over.members) {
    const auto found = index.find(member.key);
    if (found == index.end()) {
      base.members.push_back(std::move(member));
      continue;
    }
    Member& old = base.members[found->second];
    old.mark = member.mark;
    merge(old.value, std::move(member.value));
  }
}

Value read_with_includes(std::string_view text, const std::string& name, const Resolver& resolve, Report& report) {
  return Includer(resolve, report).read(text, name);
}

tl::expected<std::string, std::string> read_file(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return tl::unexpected(std::string("it is a directory"));
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return tl::unexpected(std::string(errno != 0 ? std::strerror(errno) : "it cannot be opened"));
  // One byte more than allowed, so that the reader sees that it is too large, however large it is.
  std::string text(max_file_size + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return tl::unexpected(std::string("reading it failed"));
  text.resize(static_cast<size_t>(in.gcount()));
  return text;
}

}  // namespace distlab::scenario

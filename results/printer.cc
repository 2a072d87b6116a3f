#include <algorithm>

#include <fmt/format.h>

#include "results/table_parts.h"

namespace distlab::results {

namespace {

// Columns a text takes: code points, as all that we print is one column wide each.
size_t columns(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

std::string clean(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return out;
}

std::string Printer::paint(std::string_view text, const char* code) const {
  return style_.color ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

std::string Printer::mark(Outcome outcome) const {
  if (outcome == Outcome::pass) return paint("pass", "32");
  return outcome == Outcome::fail ? paint("FAIL", "1;31") : paint("unknown", "33");
}

void Printer::line(std::string_view text) {
  out += fmt::format("{}\n", text);
}

void Printer::head(std::string_view text) {
  out += fmt::format("\n{}\n", bold(text));
}

void Printer::wrapped(std::string_view text, size_t indent, std::string_view first) {
  const size_t room = style_.width > indent + 20 ? style_.width - indent : 20;
  std::string row, start = first.empty() ? std::string(indent, ' ') : std::string(first);
  const auto flush = [&] {
    line(start + row);
    row.clear();
    start.assign(indent, ' ');
  };
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (!row.empty() && columns(row) + 1 + columns(word) > room) flush();
    if (!row.empty()) row += ' ';
    row += word;
    at = end + 1;
  }
  if (!row.empty()) flush();
}

void Printer::grid(const std::vector<std::vector<std::string>>& rows, std::string_view right) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  for (size_t r = 0; r < rows.size(); ++r) {
    std::string text = " ";
    for (size_t i = 0; i < rows[r].size(); ++i) {
      const std::string blank(widths[i] - columns(rows[r][i]), ' ');
      const bool to_right = i < right.size() && right[i] == '>';
      text += ' ' + (to_right ? blank + rows[r][i] : rows[r][i] + blank) + ' ';
    }
    text.erase(text.find_last_not_of(' ') + 1);
    line(r == 0 ? dim(text) : text);
  }
}

}  // namespace distlab::results

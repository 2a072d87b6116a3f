// How tables are written. Private to the results room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "results/digest.h"
#include "results/table.h"

namespace distlab::results {

constexpr size_t most_rows = 12;  // of nodes, pairs and tunnels; beyond it only those with something to say

// Control characters of a recorded text must not reach the terminal.
std::string clean(std::string_view text);

class Printer {
 public:
  explicit Printer(const TableStyle& style) : style_(style) {}

  std::string paint(std::string_view text, const char* code) const;
  std::string bold(std::string_view text) const { return paint(text, "1"); }
  std::string dim(std::string_view text) const { return paint(text, "2"); }
  std::string mark(Outcome outcome) const;

  void line(std::string_view text);
  void head(std::string_view text);
  // Text after `indent` columns, wrapped at blanks; the first line begins with `first` instead.
  void wrapped(std::string_view text, size_t indent, std::string_view first = "");
  // Rows of cells in columns, the first of them the head; cells of columns marked ">" in `right` end at
  // the right.
  void grid(const std::vector<std::vector<std::string>>& rows, std::string_view right);

  std::string out;

 private:
  TableStyle style_;
};

// Of a run over relays; nothing for another (table_transport.cc).
void print_relays(Printer& p, const Digest& d);
void print_tunnels(Printer& p, const Digest& d);
void print_narrative(Printer& p, const Digest& d);

}  // namespace distlab::results

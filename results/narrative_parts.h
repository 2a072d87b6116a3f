// What the tellers of a run share. Private to the results room.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "results/digest.h"

namespace distlab::results {

// The time from one fault, or from the beginning, to the next.
struct Chapter {
  std::vector<const FaultSpan*> faults;  // done at one moment; none in the first chapter
  int64_t from_ns = 0, until_ns = 0;

  bool concerns(const std::string& relay, const Digest& digest) const;  // false: all was done to other relays
  bool is_about(const std::string& target) const;
};

class Book {
 public:
  explicit Book(const Digest& digest);

  const Digest& digest;
  std::vector<Chapter> chapters;  // never empty

  // The chapter something belongs to; `relay` may be empty.
  const Chapter* chapter_at(int64_t time_ns, const std::string& relay = "") const;
};

using Sentences = std::vector<std::string>;

// Clients, bridges and relays (narrative_transport.cc).
void tell_clients(const Book& book, const Chapter& chapter, Sentences& out);
void tell_bridges(const Book& book, const Chapter& chapter, Sentences& out);
void tell_relays(const Book& book, const Chapter& chapter, Sentences& out);
void tell_failures(const Book& book, const Chapter& chapter, Sentences& out);

std::string in_brackets(const std::string& reason);  // " (reason)", or nothing
// "after 62.40 s" or "at once", since the fault; "at 62.40 s" in a chapter without one.
std::string when(const Chapter& chapter, int64_t time_ns);
std::string counted(int64_t n, const char* singular, const char* plural);

constexpr size_t most_told = 4;  // of a kind in one story; beyond it they are summed up

}  // namespace distlab::results

// Where a run keeps what it records until it is committed: compact rows in memory, and beyond a
// limit in a nameless temporary file, so that a long run needs little memory and a killed one
// leaves nothing behind.
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "results/records.h"

namespace distlab::results {

// Field values as one JSON object; "" when there are none. Text that is not UTF-8 is repaired with
// U+FFFD, and a double that is not finite becomes null.
std::string fields_to_json(const std::vector<std::pair<std::string, Value>>& fields);
// The reverse; nothing when the text is no such object.
std::optional<std::vector<std::pair<std::string, Value>>> fields_from_json(std::string_view json);

class Spool {
 public:
  // The file is made in `folder` when more than memory_limit bytes have been added.
  explicit Spool(std::string folder, size_t memory_limit = size_t{32} << 20);

  struct Row {
    enum class Type : uint8_t { event, sample } type = Type::event;
    uint32_t a = 0, b = 0, c = 0;  // indexes into names(): event host, subject, kind; sample metric, subject
    int64_t time_ns = 0;
    double value = 0;       // sample
    std::string_view json;  // event; valid during the visit
  };

  void add(const EventRecord& event);
  void add(const SampleRecord& sample);

  int64_t event_count() const { return event_count_; }
  const std::vector<std::string>& names() const { return names_; }

  // What went wrong while writing the file, as errno; 0 when all is well.
  int error() const { return error_; }

  // All rows in order. False when the file cannot be read back.
  bool visit(const std::function<void(const Row&)>& fn) const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  uint32_t name(std::string_view text);
  void append(const Row& row);
  void flush_to_file();

  std::string folder_;
  size_t memory_limit_;
  std::string buffer_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  int error_ = 0;
  int64_t event_count_ = 0;
  std::vector<std::string> names_;
  std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>> index_;
};

}  // namespace distlab::results

#include "results/spool.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <stdlib.h>
#include <unistd.h>

namespace distlab::results {

namespace {

using Json = nlohmann::ordered_json;

bool plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

void append_string(std::string& out, std::string_view text) {
  if (plain(text)) {  // nearly always; many times faster than the general way
    out += '"';
    out += text;
    out += '"';
  } else {
    out += Json(std::string(text)).dump(-1, ' ', false, Json::error_handler_t::replace);
  }
}

void append_value(std::string& out, const Value& value) {
  if (const auto* number = std::get_if<int64_t>(&value)) {
    fmt::format_to(std::back_inserter(out), "{}", *number);
  } else if (const auto* real = std::get_if<double>(&value)) {
    out += Json(*real).dump();
  } else {
    append_string(out, std::get<std::string>(value));
  }
}

struct Header {
  int64_t time_ns;
  double value;
  uint32_t a, b, c;
  uint32_t json_size : 31;
  uint32_t is_sample : 1;
};

// O_TMPFILE is unknown to some file systems (overlayfs of old kernels, NFS).
int open_nameless(const std::string& folder) {
  int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  std::string path = folder + "/.distlab-spool-XXXXXX";
  fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd >= 0) ::unlink(path.c_str());
  return fd;
}

}  // namespace

std::string fields_to_json(const std::vector<std::pair<std::string, Value>>& fields) {
  std::string out;
  if (fields.empty()) return out;
  out.reserve(24 * fields.size());
  char separator = '{';
  for (const auto& [key, value] : fields) {
    out += separator;
    separator = ',';
    append_string(out, key);
    out += ':';
    append_value(out, value);
  }
  out += '}';
  return out;
}

std::optional<std::vector<std::pair<std::string, Value>>> fields_from_json(std::string_view json) {
  std::vector<std::pair<std::string, Value>> fields;
  if (json.empty()) return fields;
  const Json object = Json::parse(json, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  fields.reserve(object.size());
  for (const auto& [key, value] : object.items()) {
    if (value.is_number_integer()) {
      fields.emplace_back(key, value.get<int64_t>());
    } else if (value.is_number_float()) {
      fields.emplace_back(key, value.get<double>());
    } else if (value.is_null()) {
      fields.emplace_back(key, std::numeric_limits<double>::quiet_NaN());
    } else if (value.is_string()) {
      fields.emplace_back(key, value.get<std::string>());
    } else {
      return std::nullopt;
    }
  }
  return fields;
}

Spool::Spool(std::string folder, size_t memory_limit) : folder_(std::move(folder)), memory_limit_(memory_limit) {}

void Spool::add(const EventRecord& event) {
  const std::string json = fields_to_json(event.fields);
  ++event_count_;
  append({Row::Type::event, name(event.host), name(event.subject), name(event.kind), event.time_ns, 0, json});
}

void Spool::add(const SampleRecord& sample) {
  append({Row::Type::sample, name(sample.metric), name(sample.subject), 0, sample.time_ns, sample.value, {}});
}

uint32_t Spool::name(std::string_view text) {
  if (const auto found = index_.find(text); found != index_.end()) return found->second;
  const auto id = static_cast<uint32_t>(names_.size());
  names_.emplace_back(text);
  index_.emplace(text, id);
  return id;
}

void Spool::append(const Row& row) {
  if (error_ != 0) return;
  const Header header{row.time_ns,
                      row.value,
                      row.a,
                      row.b,
                      row.c,
                      static_cast<uint32_t>(row.json.size()) & 0x7fffffffu,
                      row.type == Row::Type::sample};
  buffer_.append(reinterpret_cast<const char*>(&header), sizeof header);
  buffer_.append(row.json);
  if (buffer_.size() > memory_limit_) flush_to_file();
}

void Spool::flush_to_file() {
  errno = 0;
  if (!file_) {
    const int fd = open_nameless(folder_);
    file_.reset(fd < 0 ? nullptr : ::fdopen(fd, "w+"));
  }
  if (!file_ || std::fwrite(buffer_.data(), 1, buffer_.size(), file_.get()) != buffer_.size() ||
      std::fflush(file_.get()) != 0)
    error_ = errno != 0 ? errno : EIO;
  buffer_.clear();
}

bool Spool::visit(const std::function<void(const Row&)>& fn) const {
  std::string json;
  const auto visit_one = [&](const Header& h, std::string_view text) {
    fn({h.is_sample ? Row::Type::sample : Row::Type::event, h.a, h.b, h.c, h.time_ns, h.value, text});
  };
  if (file_) {
    std::rewind(file_.get());
    Header header;
    while (std::fread(&header, sizeof header, 1, file_.get()) == 1) {
      json.resize(header.json_size);
      if (std::fread(json.data(), 1, json.size(), file_.get()) != json.size()) return false;
      visit_one(header, json);
    }
    const bool failed = std::ferror(file_.get()) != 0;
    std::fseek(file_.get(), 0, SEEK_END);
    if (failed) return false;
  }
  for (size_t at = 0; at < buffer_.size();) {
    Header header;
    std::memcpy(&header, buffer_.data() + at, sizeof header);
    at += sizeof header;
    visit_one(header, std::string_view(buffer_).substr(at, header.json_size));
    at += header.json_size;
  }
  return true;
}

}  // namespace distlab::results

// qlog files of QUIC connections (draft-ietf-quic-qlog-main-schema, JSON text sequences), one per
// connection and side, as qvis opens them. Every ground writes them in this way.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace distlab::results {

class QlogFolder {
 public:
  using Writer = std::function<void(std::string_view)>;

  // An empty path: nothing is written. The error is one line that names the folder.
  static tl::expected<QlogFolder, std::string> open(const std::string& path);

  // "<process>-<peer>-<n>.sqlog". Nothing when no files are wanted, or there are max_files of them.
  Writer file(const std::string& process, const std::string& peer);

  static constexpr size_t max_files = 1'000;

 private:
  explicit QlogFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;
  size_t files_ = 0;
};

}  // namespace distlab::results

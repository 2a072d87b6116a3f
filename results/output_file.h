// The files a user asks for by name: reports, JSON, JUnit, Markdown.
#pragma once

#include <string>

#include "results/store.h"

namespace distlab::results {

// Whole or not at all: written beside the target and renamed, so that a reader never sees half a file. Folders that
// are missing are made. What is no ordinary file (a link, a pipe, /dev/null) is written through, never replaced.
StoreResult<void> write_file(const std::string& path, const std::string& text);

// Whether write_file would succeed, as far as that can be known beforehand; changes nothing.
StoreResult<void> can_write(const std::string& path);

}  // namespace distlab::results

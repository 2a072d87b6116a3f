// What Store and RunWriter share. Private to the results room.
#pragma once

#include <optional>
#include <string>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>

#include "results/spool.h"
#include "results/store.h"

namespace distlab::results {

class Store::Impl {
 public:
  Impl(std::string path_text, OpenMode open_mode) : path(std::move(path_text)), mode(open_mode) {}

  std::string path;
  OpenMode mode;
  std::optional<SQLite::Database> db;
};

class RunWriter::Impl {
 public:
  Impl(std::shared_ptr<Store::Impl> owner, int64_t run, std::string spool_folder)
      : store(std::move(owner)), id(run), spool(std::move(spool_folder)) {}

  std::shared_ptr<Store::Impl> store;
  int64_t id;
  Spool spool;
  bool committed = false;
};

// What SQLite said, in words a user can act on.
StoreError store_error(const std::string& path, int code, int system_errno, const std::string& detail);
StoreError store_error(const Store::Impl& store, const SQLite::Exception& error);

// Runs fn and turns an exception of SQLite into a StoreError.
template <typename Fn>
auto guarded(const Store::Impl& store, Fn fn) -> StoreResult<decltype(fn())> {
  try {
    if constexpr (std::is_void_v<decltype(fn())>) {
      fn();
      return {};
    } else {
      return fn();
    }
  } catch (const SQLite::Exception& error) {
    return tl::unexpected(store_error(store, error));
  }
}

}  // namespace distlab::results

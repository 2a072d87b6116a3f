#include <cstring>

#include <fmt/format.h>
#include <sqlite3.h>

#include "results/store_impl.h"

namespace distlab::results {

StoreError store_error(const std::string& path, int code, int system_errno, const std::string& detail) {
  const auto user = [](std::string text) { return StoreError{std::move(text), true}; };
  const std::string reason = system_errno != 0 ? std::strerror(system_errno) : detail;
  switch (code & 0xff) {
    case SQLITE_FULL:
      return user(fmt::format("{}: the disk is full (or the size limit reached); nothing was added", path));
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return user(fmt::format("{}: cannot open the database: {}", path, reason));
    case SQLITE_READONLY:
      return user(fmt::format("{}: no permission to write to the database or its folder", path));
    case SQLITE_NOTADB:
      return user(fmt::format("{}: not a database of distlab (not an SQLite file)", path));
    case SQLITE_CORRUPT:
      return user(
          fmt::format("{0}: the database is damaged ({1}); save what is readable with: "
                      "sqlite3 {0} .recover | sqlite3 recovered.db",
                      path, detail));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return user(fmt::format("{}: the database stays locked by another process", path));
    case SQLITE_IOERR:
      return user(fmt::format("{}: reading or writing the database failed: {}", path, reason));
    case SQLITE_NOMEM:
      return user(fmt::format("{}: out of memory", path));
    default:
      return {fmt::format("{}: unexpected database error: {} (code {})", path, detail, code), false};
  }
}

StoreError store_error(const Store::Impl& store, const SQLite::Exception& error) {
  int code = error.getExtendedErrorCode() > 0 ? error.getExtendedErrorCode() : error.getErrorCode();
  if (code < 0) code = SQLITE_INTERNAL;  // SQLiteCpp's own: no row, no such column
  const int system_errno = store.db ? sqlite3_system_errno(store.db->getHandle()) : 0;
  return store_error(store.path, code, system_errno, error.getErrorStr());
}

}  // namespace distlab::results

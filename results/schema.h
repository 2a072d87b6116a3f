// The tables of the database and how an older file becomes a current one.
#pragma once

#include <vector>

#include <SQLiteCpp/Database.h>

namespace distlab::results {

inline constexpr int application_id = 0x646c6162;  // "dlab": PRAGMA application_id, file(1) shows it

// One step takes a file from version index to index + 1; the first makes an empty file version 1.
// Steps are never changed once released, only appended.
const std::vector<const char*>& migrations();

enum class SchemaState { current, older, newer, foreign };

SchemaState schema_state(SQLite::Database& db, const std::vector<const char*>& steps = migrations());

// Runs the missing steps in one transaction. Throws SQLite::Exception. Two processes may race here.
void migrate(SQLite::Database& db, const std::vector<const char*>& steps = migrations());

}  // namespace distlab::results

// The format tables as documents for others: a JSON Schema for editors, and the reference of README.md.
#pragma once

#include <string>

namespace distlab::scenario {

std::string json_schema();         // draft 2020-12, indented
std::string reference_markdown();  // a table for every kind of map

}  // namespace distlab::scenario

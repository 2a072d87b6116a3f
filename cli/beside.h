// Programs that are installed beside distlab.
#pragma once

#include <string>

namespace distlab::cli {

std::string beside_us(const std::string& name);  // its path

}  // namespace distlab::cli

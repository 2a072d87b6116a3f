// What peers can make happen as often as they like, without filling the record: of notices alike the first is told
// at once, and those that follow within a second as one that counts them.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/host/endpoint.h"
#include "models/host/time.h"
#include "models/mesh/ingress.h"

namespace distlab::mesh {

class Notices {
 public:
  static constexpr Duration interval = std::chrono::seconds{1};

  // Those with equal ones are alike. The reason is ours, never a peer's words: there are only so many.
  struct Sort {
    SessionId session{};    // none: they are about no session
    std::string_view kind;  // a literal of event_kinds.h
    std::string reason;
    auto operator<=>(const Sort&) const = default;
  };
  struct Sum {
    uint64_t messages = 0, bytes = 0;
    Endpoint remote = {};  // of the last
  };
  using Told = std::pair<Sort, Sum>;

  // True: to be told now. False: kept until next_time(), when due() gives it.
  bool note(Time now, Sort sort, const Sum& sum);
  std::optional<Told> due(Time now);  // call it until there is none
  std::optional<Time> next_time() const;
  std::vector<Told> forget(SessionId session);  // what of it is not told yet

 private:
  std::map<Sort, Sum> open_;  // what is not told yet of what was told within the interval
  std::deque<std::pair<Time, Sort>> ends_;
};

}  // namespace distlab::mesh

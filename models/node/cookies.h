// Which cookie goes with which peer.
//
// Source: auth.erl of OTP 25.2.3: one cookie of our own, and others by peer, each of which can be
// changed at any time (erlang:set_cookie/1,2) and counts from the next handshake on.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace distlab::node {

class Cookies {
 public:
  explicit Cookies(std::string own, std::map<std::string, std::string, std::less<>> others = {})
      : own_(std::move(own)), others_(std::move(others)) {}

  void set_own(std::string cookie) { own_ = std::move(cookie); }
  void set(const std::string& peer, std::string cookie) { others_[peer] = std::move(cookie); }
  // What a BEAM says to its agent: the cookie now in force for this peer; without a peer, its own.
  void learn(const std::string& peer, std::string cookie) {
    if (peer.empty()) {
      set_own(std::move(cookie));
    } else if (cookie == own_) {
      others_.erase(peer);
    } else {
      set(peer, std::move(cookie));
    }
  }
  // auth:get_cookie/1.
  const std::string& of(std::string_view peer) const {
    const auto found = others_.find(peer);
    return found == others_.end() ? own_ : found->second;
  }

 private:
  std::string own_;
  std::map<std::string, std::string, std::less<>> others_;
};

}  // namespace distlab::node

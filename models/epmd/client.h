// What a node asks of EPMD, as erl_epmd of OTP 25 does.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "models/epmd/codec.h"
#include "models/host/host.h"

namespace distlab::epmd {

// erl_epmd:register_node/3 and its connection, which stays open for the life of the node. When it
// closes, the node registers again every 2 s until it succeeds (erl_epmd:init/handle_info,
// {tcp_closed, _}).
class Registration {
 public:
  struct Options {
    Endpoint epmd{loopback_address, default_port};
    Duration retry = std::chrono::seconds{2};
    Duration answer_timeout = std::chrono::seconds{10};  // erl_epmd:wait_for_reg_reply/2
  };
  // address_in_use: the name is taken. `done` is called once, from the host's loop.
  using Done = std::function<void(tl::expected<uint32_t, NetError>)>;

  Registration(Host& host, Options options, Alive2Request node, Done done);
  ~Registration();
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

 private:
  class Exchange;
  void ask();
  void answered(tl::expected<Alive2Response, NetError> response);

  Host& host_;
  Options options_;
  Alive2Request node_;
  Done done_;
  bool registered_ = false;
  Timer retry_;
  std::unique_ptr<Exchange> exchange_;
};

// erl_epmd:port_please/3. Destroying it gives up. The answer is reported when EPMD has closed the
// connection, and for that erl_epmd waits as long as it takes.
class PortPlease {
 public:
  // not_found: the name is not registered there; lookup_failed: an answer that makes no sense. The
  // value is the node's entry.
  using Done = std::function<void(tl::expected<Alive2Request, NetError>)>;

  PortPlease(Host& host, Endpoint epmd, std::string name, Done done);
  ~PortPlease();
  PortPlease(const PortPlease&) = delete;
  PortPlease& operator=(const PortPlease&) = delete;

 private:
  class Exchange;
  std::unique_ptr<Exchange> exchange_;
};

// erl_epmd:names/1. Destroying it gives up.
class Names {
 public:
  using Done = std::function<void(tl::expected<NamesResponse, NetError>)>;

  Names(Host& host, Endpoint epmd, Done done);
  ~Names();
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

 private:
  class Exchange;
  std::unique_ptr<Exchange> exchange_;
};

}  // namespace distlab::epmd

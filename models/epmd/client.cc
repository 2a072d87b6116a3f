#include "models/epmd/client.h"

#include <optional>
#include <utility>
#include <vector>

#include "models/host/event_kinds.h"

namespace distlab::epmd {
namespace {

// erl_epmd waits so long for an answer, and so long again for the close after a refusal.
constexpr Duration port_timeout = std::chrono::seconds{10};
constexpr size_t max_names_response = 1 << 20;

// One connection: a request out, bytes in. Whoever derives from it decides when it has enough.
class Conversation : public StreamHandler {
 public:
  Conversation(Host& host, Endpoint epmd, const Request& request, Duration timeout)
      : host_(host), timer_(host), finish_(host), request_(encode(request)) {
    stream_ = host_.connect_tcp(epmd, *this);
    timer_.start(timeout, [this] { ended(NetError::timed_out); });
  }

  void on_connected() override { stream_->write(request_); }
  void on_data(Bytes data) override {
    received_.insert(received_.end(), data.begin(), data.end());
    arrived();
  }
  void on_closed(NetError why) override { ended(why); }

  virtual void arrived() = 0;
  virtual void ended(NetError why) = 0;

 protected:
  void wait(Duration timeout) {
    timer_.start(timeout, [this] { ended(NetError::timed_out); });
  }
  void stop_waiting() { timer_.cancel(); }
  // Reports from the loop: the receiver may destroy this object.
  void report(std::function<void()> fn) {
    stop_waiting();
    finish_.start(Duration::zero(), std::move(fn));
  }
  // Reports, once, and hangs up.
  void conclude(std::function<void()> fn) {
    if (concluded_) return;
    concluded_ = true;
    report([this, fn = std::move(fn)] {
      stream_.reset();
      fn();
    });
  }

  Host& host_;
  std::vector<uint8_t> received_;

 private:
  Timer timer_, finish_;
  std::vector<uint8_t> request_;
  std::unique_ptr<ByteStream> stream_;
  bool concluded_ = false;
};

}  // namespace

class Registration::Exchange : public Conversation {
 public:
  explicit Exchange(Registration& owner)
      : Conversation(owner.host_, owner.options_.epmd, owner.node_, owner.options_.answer_timeout), owner_(owner) {}

  void arrived() override {
    if (answered_) return received_.clear();
    const auto response = decode_alive2_response(received_);
    if (response && !*response) return;
    answered_ = true;
    stop_waiting();
    if (!response) return tell(tl::unexpected(NetError::lookup_failed));
    tell(**response);
  }
  void ended(NetError why) override {
    if (telling_) {
      ended_ = why;  // the answer comes first
    } else {
      tell(tl::unexpected(why));
    }
  }

 private:
  void tell(tl::expected<Alive2Response, NetError> response) {
    telling_ = true;
    report([this, response] {
      telling_ = false;
      if (ended_) tell(tl::unexpected(*std::exchange(ended_, std::nullopt)));
      owner_.answered(response);  // may destroy this object
    });
  }
  Registration& owner_;
  bool answered_ = false;
  bool telling_ = false;
  std::optional<NetError> ended_;
};

Registration::Registration(Host& host, Options options, Alive2Request node, Done done)
    : host_(host), options_(options), node_(std::move(node)), done_(std::move(done)), retry_(host) {
  ask();
}

Registration::~Registration() = default;

void Registration::ask() {
  exchange_ = std::make_unique<Exchange>(*this);
}

// An answer, or the end of the connection before or after it.
void Registration::answered(tl::expected<Alive2Response, NetError> response) {
  const bool accepted = response && response->result == 0;
  if (!accepted) exchange_.reset();
  if (!registered_) {
    // The first attempt decides whether the node starts at all.
    registered_ = accepted;
    const auto done = done_;
    if (accepted) return done(response->creation);
    return done(tl::unexpected(response ? NetError::address_in_use : response.error()));
  }
  if (!accepted) retry_.start(options_.retry, [this] { ask(); });
}

class PortPlease::Exchange : public Conversation {
 public:
  Exchange(Host& host, Endpoint epmd, std::string name, Done done)
      : Conversation(host, epmd, PortPlease2Request{name}, port_timeout),
        name_(std::move(name)),
        done_(std::move(done)) {}

  void arrived() override {
    if (answer_) return received_.clear();
    auto response = decode_port2_response(received_);
    if (response && !*response) return;
    if (!response) {
      answer_ = tl::unexpected(NetError::lookup_failed);
    } else if ((*response)->result != 0) {
      answer_ = tl::unexpected(NetError::not_found);
    } else {
      answer_ = std::move((*response)->node);
      return stop_waiting();  // wait_for_port_reply_name/3: until EPMD closes
    }
    wait(port_timeout);  // wait_for_close/2
  }
  void ended(NetError why) override {
    if (!answer_) answer_ = tl::unexpected(why == NetError::closed ? NetError::lookup_failed : why);
    conclude([this] {
      host_.record({kinds::epmd_lookup,
                    name_,
                    {{"port", int64_t{*answer_ ? (*answer_)->port : 0}},
                     {"result", std::string(*answer_ ? "ok" : to_string(answer_->error()))}}});
      const auto done = std::move(done_);
      done(std::move(*answer_));
    });
  }

 private:
  std::string name_;
  Done done_;
  std::optional<tl::expected<Alive2Request, NetError>> answer_;
};

PortPlease::PortPlease(Host& host, Endpoint epmd, std::string name, Done done)
    : exchange_(std::make_unique<Exchange>(host, epmd, std::move(name), std::move(done))) {}

PortPlease::~PortPlease() = default;

class Names::Exchange : public Conversation {
 public:
  Exchange(Host& host, Endpoint epmd, Done done)
      : Conversation(host, epmd, NamesRequest{}, port_timeout), done_(std::move(done)) {}

  void arrived() override {
    if (received_.size() > max_names_response) ended(NetError::limit);
  }
  void ended(NetError why) override {
    conclude([this, why] {
      const auto done = std::move(done_);
      if (why != NetError::closed) return done(tl::unexpected(why));
      auto response = decode_names_response(received_);
      if (!response) return done(tl::unexpected(NetError::lookup_failed));
      done(std::move(*response));
    });
  }

 private:
  Done done_;
};

Names::Names(Host& host, Endpoint epmd, Done done)
    : exchange_(std::make_unique<Exchange>(host, epmd, std::move(done))) {}

Names::~Names() = default;

}  // namespace distlab::epmd

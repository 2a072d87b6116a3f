// Tells a running member function that a callback has destroyed the object it runs on.
#pragma once

namespace distlab::quic {

class Lifeline {
 public:
  class Watch {
   public:
    explicit Watch(Lifeline& lifeline) : lifeline_(&lifeline), outer_(lifeline.watch_) { lifeline.watch_ = this; }
    ~Watch() {
      if (lifeline_ != nullptr) lifeline_->watch_ = outer_;
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    bool gone() const { return lifeline_ == nullptr; }

   private:
    friend class Lifeline;
    Lifeline* lifeline_;
    Watch* outer_;
  };

  Lifeline() = default;
  ~Lifeline() {
    for (Watch* watch = watch_; watch != nullptr; watch = watch->outer_) watch->lifeline_ = nullptr;
  }
  Lifeline(const Lifeline&) = delete;
  Lifeline& operator=(const Lifeline&) = delete;

 private:
  Watch* watch_ = nullptr;
};

}  // namespace distlab::quic

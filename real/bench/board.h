// What the processes of a benchmark tell each other: memory they share. The parent gives orders, the others
// count. Every field has one writer.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include <sys/mman.h>

#include "real/lateness.h"

namespace distlab::bench {

enum class Work : uint32_t {
  idle,      // send nothing; what is under way arrives
  join,      // start the nodes, each with its session
  connect,   // and set up their tunnels
  saturate,  // keep `window` messages under way in each flow
  pace,      // send `rate` messages per second, all flows in turn
};

struct Order {
  Work work = Work::idle;
  uint64_t payload = 0;  // bytes of a message's binary
  uint64_t window = 0;   // messages
  double rate = 0;       // of all load processes together
};

// Of one load process.
struct LoadCounts {
  std::atomic<uint64_t> taken{0};  // the number of the order it follows now
  std::atomic<uint64_t> sessions{0}, tunnels{0}, failures{0};
  std::atomic<uint64_t> sent{0}, received{0};
  std::atomic<uint64_t> missing{0};     // numbers that were skipped
  std::atomic<uint64_t> duplicates{0};  // or that came again, or late
  std::atomic<uint64_t> garbled{0};     // not a message of ours, or of another length than it says
  // From when a message was due (pace) or written (saturate) until a process at the other end has it. To be
  // read once an order after it has been taken.
  real::Lateness latency;
};

struct RelayCounts {
  std::atomic<uint32_t> state{0};  // 0 starting, 1 listening, 2 the port was taken
  std::atomic<uint64_t> sessions{0}, subscriptions{0};
  std::atomic<uint64_t> frames_in{0}, bytes_in{0}, frames_out{0}, bytes_out{0}, dropped{0}, queued_bytes{0};
};

// Of the peer that forwards datagrams, and of who sends through it.
struct PeerCounts {
  std::atomic<uint32_t> port{0};  // 0: not yet
  std::atomic<uint64_t> received{0}, missing{0};
};

struct Board {
  static constexpr size_t max_loads = 16;

  // Written by the parent while nobody reads; `number` tells that it is whole.
  Order order{};
  std::atomic<uint64_t> number{0};

  RelayCounts relay;
  PeerCounts peer;
  LoadCounts loads[max_loads];
};

// Memory that forked children share with us.
template <typename T>
class Shared {
 public:
  explicit Shared(size_t count = 1) : count_(count) {
    void* const memory = ::mmap(nullptr, size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    data_ = static_cast<T*>(memory);
    std::uninitialized_value_construct_n(data_, count_);
  }
  ~Shared() {
    std::destroy_n(data_, count_);
    ::munmap(data_, size());
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  T& operator*() const { return *data_; }
  T* operator->() const { return data_; }
  T& operator[](size_t i) const { return data_[i]; }

 private:
  size_t size() const { return sizeof(T) * count_; }

  T* data_ = nullptr;
  size_t count_;
};

}  // namespace distlab::bench

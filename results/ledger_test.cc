#include "results/ledger.h"

#include <gtest/gtest.h>

#include "results/testing/events.h"

namespace distlab::results {
namespace {

const Naming no_names{{}};

PairLedger only_pair(const std::vector<EventRecord>& events, double end_s, const LedgerOptions& options = {}) {
  const auto books = ledger(events, no_names, connectivity(events, no_names, seconds(end_s)), options);
  EXPECT_EQ(books.size(), 1u);
  return books.empty() ? PairLedger{} : books.front();
}

// Each way a message can fare is counted once, by its definition.
TEST(Ledger, CountsEveryFate) {
  const PairLedger book = only_pair(
      {
          node_up(0, "a", "b"), sent(1, "a", "b", 1), received(1.1, "a", "b", 1, 0.1), sent(2, "a", "b", 2),  // lost
          sent(3, "a", "b", 3), sent(3.1, "a", "b", 4), received(3.2, "a", "b", 4, 0.1),
          received(5, "a", "b", 3, 2.0),    // reordered and late
          received(5.1, "a", "b", 3, 2.1),  // duplicate
          received(5.2, "a", "b", 99),      // never sent
          sent(59, "a", "b", 5),            // in flight at the end
      },
      60);
  EXPECT_EQ(book.from, "a");
  EXPECT_EQ(book.to, "b");
  EXPECT_EQ(book.sent, 5);
  EXPECT_EQ(book.delivered, 3);
  EXPECT_EQ(book.lost, 1);
  EXPECT_EQ(book.in_flight, 1);
  EXPECT_EQ(book.reordered, 1);
  EXPECT_EQ(book.late, 1);
  EXPECT_EQ(book.duplicated, 1);
  EXPECT_EQ(book.unsent, 1);
  EXPECT_EQ(book.latency_ms, (std::vector<double>{100, 2000, 100}));
  EXPECT_EQ(book.lost_ns, std::vector<int64_t>{seconds(2)});
  EXPECT_EQ(book.late_ns, std::vector<int64_t>{seconds(5)});
  EXPECT_EQ(book.duplicated_ns, std::vector<int64_t>{seconds(5.1)});
}

// Lost messages form rows, each ended by one that arrived; those sent while down are counted apart.
TEST(Ledger, RowsOfLostMessages) {
  const PairLedger book = only_pair(
      {
          node_up(0, "a", "b"),
          sent(1, "a", "b", 1),
          sent(2, "a", "b", 2),
          sent(3, "a", "b", 3),
          received(3.1, "a", "b", 3),
          sent(4, "a", "b", 4),
          node_down(5, "a", "b"),
          sent(6, "a", "b", 5),
          node_up(7, "a", "b"),
          sent(8, "a", "b", 6),
          received(8.1, "a", "b", 6),
          sent(59, "a", "b", 7),
      },
      60);
  EXPECT_EQ(book.losses, (std::vector<Loss>{{seconds(1), seconds(2), 2, 2}, {seconds(4), seconds(6), 2, 1}}));
}

// A message sent just before the end is lost, not in flight, once its sender saw the peer go down.
TEST(Ledger, NodeDownDecidesARecentMessage) {
  const PairLedger book = only_pair({node_up(0, "a", "b"), sent(58, "a", "b", 1), node_down(59, "a", "b")}, 60);
  EXPECT_EQ(book.lost, 1);
  EXPECT_EQ(book.in_flight, 0);
}

// A restarted sender counts from one again: its messages are new ones, not duplicates.
TEST(Ledger, RestartedSenderReusesNumbers) {
  const PairLedger book = only_pair(
      {sent(1, "a", "b", 1), received(1.1, "a", "b", 1), sent(9, "a", "b", 1), received(9.1, "a", "b", 1)}, 60);
  EXPECT_EQ(book.sent, 2);
  EXPECT_EQ(book.delivered, 2);
  EXPECT_EQ(book.duplicated, 0);
  EXPECT_EQ(book.reordered, 0);
}

// Silence while up is a wedge from the first lost message to the next one that gets through.
TEST(Ledger, FindsWedgesAndHowTheyEnd) {
  std::vector<EventRecord> events = {node_up(0, "a", "b")};
  int64_t seq = 0;
  for (int second = 1; second < 60; ++second) {
    if (second == 50) events.push_back(node_down(50, "a", "b"));
    if (second == 52) events.push_back(node_up(52, "a", "b"));
    events.push_back(sent(second, "a", "b", ++seq));
    const bool lost = (second >= 10 && second < 15) || second == 20 || (second >= 44 && second < 50) || second >= 53;
    if (!lost) events.push_back(received(second + 0.02, "a", "b", seq));
  }
  const PairLedger book = only_pair(events, 70);
  const std::vector<Wedge> expected = {
      {Wedge::End::delivered, seconds(10), seconds(15), 5},
      {Wedge::End::delivered, seconds(20), seconds(21), 1},
      {Wedge::End::node_down, seconds(44), seconds(50), 6},
      {Wedge::End::run_ended, seconds(53), seconds(70), 7},
  };
  EXPECT_EQ(book.wedges, expected);
  EXPECT_EQ(book.wedged_ns(), seconds(29));
  LedgerOptions only_longer;
  only_longer.min_wedge_ns = seconds(2);
  EXPECT_EQ(only_pair(events, 70, only_longer).wedges.size(), 3u);
}

// A ledger of a part of the run counts the messages that belong to that part.
TEST(Ledger, CountsAPartOfTheRun) {
  LedgerOptions first_half;
  first_half.counts = [](int64_t from_ns, int64_t to_ns) { return from_ns >= seconds(1) && to_ns < seconds(10); };
  const PairLedger book =
      only_pair({node_up(0, "a", "b"), sent(0.5, "a", "b", 1), sent(1, "a", "b", 2), received(1.1, "a", "b", 2),
                 sent(2, "a", "b", 3), sent(9.9, "a", "b", 4), received(10.1, "a", "b", 4), sent(20, "a", "b", 5)},
                60, first_half);
  EXPECT_EQ(book.sent, 2);
  EXPECT_EQ(book.delivered, 1);
  EXPECT_EQ(book.lost, 1);
  EXPECT_EQ(book.first_lost_ns, seconds(2));
}

// Messages lost while the sender knows the peer is down are losses, but no wedge.
TEST(Ledger, NoWedgeWhileDown) {
  const PairLedger book =
      only_pair({node_up(0, "a", "b"), node_down(5, "a", "b"), sent(6, "a", "b", 1), sent(9, "a", "b", 2)}, 60);
  EXPECT_EQ(book.lost, 2);
  EXPECT_TRUE(book.wedges.empty());
}

// Erlang names and host names are the same node; each direction has its own book.
TEST(Ledger, JoinsNamesAndSeparatesDirections) {
  const Naming naming({{"a@home", "a"}, {"b@office", "b"}});
  const std::vector<EventRecord> events = {node_up(0, "a", "b@office"), sent(1, "a@home", "b@office", 1),
                                           received(1.1, "a", "b", 1), sent(2, "b", "a", 1)};
  const auto seen = connectivity(events, naming, seconds(60));
  EXPECT_TRUE(seen.views.at({"a", "b"}).up_at(seconds(30)));
  const auto books = ledger(events, naming, seen);
  ASSERT_EQ(books.size(), 2u);
  EXPECT_EQ(books[0].delivered, 1);
  EXPECT_EQ(books[1].from, "b");
  EXPECT_EQ(books[1].lost, 1);
}

}  // namespace
}  // namespace distlab::results
